// SPDX-License-Identifier: Apache-2.0
//! A task on smol's executor that waits for something: by blocking its thread, or as a task should.
//!
//!     smol-loops file|free FIFO
//!
//! It prints `turned`, and begins when there is a line on its standard input: then its loop has waited
//! long enough to be known. See tests/runtimes/test_smol.py.

use std::env;
use std::io::stdin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use smol::Timer;

const TIMER: Duration = Duration::from_millis(1000);

#[inline(never)]
fn blocking_file(fifo: &str) {
    let bytes = std::fs::read(fifo).expect("the FIFO");
    assert!(!bytes.is_empty());
}

/// Each wait in a task of its own, both at once.
async fn free(fifo: String) {
    let file = smol::spawn(async move { smol::fs::read(fifo).await.expect("the FIFO") });
    let timer = smol::spawn(async {
        Timer::after(TIMER).await;
        println!("free");
    });
    assert!(!file.await.is_empty());
    timer.await;
}

/// Until there is a line. It is not read on this thread.
async fn turn() {
    println!("turned");
    let begun = Arc::new(AtomicBool::new(false));
    let reader = Arc::clone(&begun);
    thread::spawn(move || {
        let mut line = String::new();
        stdin().read_line(&mut line).expect("a line");
        reader.store(true, Ordering::SeqCst);
    });
    while !begun.load(Ordering::SeqCst) {
        Timer::after(Duration::from_millis(50)).await;
    }
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let fifo = arguments[2].clone();
    smol::block_on(async {
        turn().await;
        if arguments[1] == "free" {
            free(fifo).await;
        } else {
            blocking_file(&fifo);
        }
    });
}
