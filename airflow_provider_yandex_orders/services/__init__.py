# SPDX-License-Identifier: Apache-2.0
"""What is particular to each service, as data: addresses, error words, limits."""
