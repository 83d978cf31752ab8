# SPDX-License-Identifier: Apache-2.0
"""Messages about deliveries."""
