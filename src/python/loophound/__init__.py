# SPDX-License-Identifier: Apache-2.0
"""Finds what blocks an event loop, and names the line."""
