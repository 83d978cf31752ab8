# SPDX-License-Identifier: Apache-2.0
"""What is particular to the Altcraft Platform: its answers, its bodies, its kinds of rows, its batches."""
