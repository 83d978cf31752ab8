# SPDX-License-Identifier: Apache-2.0
"""One memory for all deliveries: what was planned, sent and judged, in a database.

A delivery begins, subtracts under the lease of its destination, plans its parts, writes down that each goes out and
what came of it, and is sent; judgements come later. ``records`` and ``tripwire`` cost a DAG parser nothing;
``store`` brings SQLAlchemy and is imported inside ``execute``.
"""
