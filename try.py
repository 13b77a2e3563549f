import asyncio, time
async def handler():
    time.sleep(0.3)
async def main():
    await asyncio.sleep(0.1)
    await handler()
    await asyncio.sleep(0.1)
asyncio.run(main())
