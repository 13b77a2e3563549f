# SPDX-License-Identifier: Apache-2.0
"""A test that blocks its loop, and one that does not: for a pytest with the wheel installed."""

import asyncio
import time


async def price() -> int:
    time.sleep(0.01)
    return 5


async def patient_price() -> int:
    await asyncio.sleep(0.01)
    return 5


def test_price(detect_blocking: object) -> None:
    assert asyncio.run(price()) == 5


def test_patient_price(detect_blocking: object) -> None:
    assert asyncio.run(patient_price()) == 5
