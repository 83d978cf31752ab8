# SPDX-License-Identifier: Apache-2.0
"""One row: from whatever a source holds to what a service takes, or to a reason why not."""
