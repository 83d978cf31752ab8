# SPDX-License-Identifier: Apache-2.0
"""The one way to the services: a client with retries, and file uploads in flat memory."""
