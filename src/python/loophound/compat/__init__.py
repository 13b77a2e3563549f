# SPDX-License-Identifier: Apache-2.0
"""Interfaces of other tools, for projects that come from them."""
