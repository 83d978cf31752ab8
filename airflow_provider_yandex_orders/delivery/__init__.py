# SPDX-License-Identifier: Apache-2.0
"""From a source to the service and back to a report: the steps every upload takes."""
