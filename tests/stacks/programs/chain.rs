// SPDX-License-Identifier: Apache-2.0
// The ways of Rust down to a wait: generics, closures, traits, modules.
use std::io::Read;

extern "C" {
    fn epoll_create1(flags: i32) -> i32;
    fn epoll_wait(set: i32, events: *mut [u64; 2], most: i32, timeout_ms: i32) -> i32;
    fn read(fd: i32, buffer: *mut u8, count: usize) -> isize;
}

mod shop {
    pub trait Handler {
        fn handle(&self, request: i32) -> i32;
    }

    pub struct Price<T> {
        pub first: T,
    }

    impl<T: Copy + Into<i64>> Price<T> {
        #[inline(never)]
        pub fn find<F: Fn(i64) -> i64>(&self, ask: F) -> i64 {
            std::hint::black_box(ask(self.first.into())) + 1
        }
    }

    impl<T: Copy + Into<i64>> Handler for Price<T> {
        #[inline(never)]
        fn handle(&self, request: i32) -> i32 {
            let total = self.find(|number| super::wait_for_a_byte(number + request as i64) + 1);
            std::hint::black_box(total as i32) + 1
        }
    }
}

#[inline(always)]
fn read_byte(byte: &mut u8) -> isize {
    unsafe { read(0, byte, 1) }
}

#[inline(never)]
fn wait_for_a_byte(number: i64) -> i64 {
    let mut byte = 0u8;
    let count = read_byte(&mut byte);
    std::hint::black_box(count as i64 + number) + byte as i64
}

#[inline(never)]
fn run(handlers: &[Box<dyn shop::Handler>]) -> i32 {
    let total: i32 = handlers.iter().map(|handler| handler.handle(1) + 1).sum();
    std::hint::black_box(total) + 1
}

fn main() {
    let mut event = [0u64; 2];
    unsafe { epoll_wait(epoll_create1(0x80000), &mut event, 1, 0) };
    let handlers: Vec<Box<dyn shop::Handler>> = vec![Box::new(shop::Price { first: 1i32 })];
    if run(&handlers) == -1 {
        let _ = std::io::stdin().read(&mut [0u8]);
    }
}
