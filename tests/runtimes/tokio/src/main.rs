// SPDX-License-Identifier: Apache-2.0
//! A task on a tokio runtime that waits for something: by blocking its thread, or as a task should.
//!
//!     tokio-loops current|multi CASE FIFO PORT
//!
//! sleep, fifo, socket, mutex, shared, job: these block. free, idle, in_place, block_on do not, nor do
//! the last two with `-beside` or `-again` behind them.
//!
//! What is waited for comes from outside: a line in the FIFO, from the server at PORT, on standard
//! input (the holder of the mutex waits for that one). `free` waits for all of them without blocking,
//! and prints a line when the runtime's own timer has run in the meantime. `idle` has two workers that
//! have both waited for events, and then have nothing to do: one waits for events, one for the other.
//! In `shared` one of them waits for the mutex instead. `in_place` and `block_on` have one worker, whose
//! place in the loop is given away before it waits, for the FIFO or for the socket, and print when the
//! timer has run. With `-beside` there are two, and the other one waits for the events. With `-again`
//! the place has been given away before, so that there are threads that know it. So it has in `job`,
//! where such a thread is given other work before the mutex is waited for.
//!
//! `serve` is a server at PORT for tests/bench: it answers each line by `pong`, until it is killed.

use std::env;
use std::future::Future;
use std::io::{self, Read};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{mpsc, Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Handle, Runtime};

const SLEEP: Duration = Duration::from_millis(300);
const TIMER: Duration = Duration::from_millis(1000);
const LATER: Duration = Duration::from_millis(50);

fn line_from_stdin() {
    let mut line = String::new();
    io::stdin().read_line(&mut line).expect("a line on standard input");
}

#[inline(never)]
fn blocking_sleep() {
    thread::sleep(SLEEP);
}

#[inline(never)]
fn blocking_file(fifo: &str) {
    let bytes = std::fs::read(fifo).expect("the FIFO");
    assert!(!bytes.is_empty());
}

#[inline(never)]
fn blocking_socket(port: u16) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server");
    let mut byte = [0];
    stream.read_exact(&mut byte).expect("a byte from the server");
}

/// Another thread takes the mutex, says so, and keeps it until a line comes.
#[inline(never)]
fn blocking_mutex() {
    let mutex = Arc::new(Mutex::new(0));
    let (taken, is_taken) = mpsc::channel();
    let holder = {
        let mutex = Arc::clone(&mutex);
        thread::spawn(move || {
            let mut guard = mutex.lock().expect("the mutex");
            taken.send(()).expect("the task");
            line_from_stdin();
            *guard += 1;
        })
    };
    is_taken.recv().expect("the holder");
    assert_eq!(*mutex.lock().expect("the mutex"), 1);
    holder.join().expect("the holder");
}

async fn free_mutex() {
    let mutex = Arc::new(tokio::sync::Mutex::new(0));
    let mut guard = Arc::clone(&mutex).lock_owned().await;
    thread::spawn(move || {
        line_from_stdin();
        *guard += 1;
    });
    assert_eq!(*mutex.lock().await, 1);
}

async fn free_socket(port: u16) {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("the server");
    stream.read_u8().await.expect("a byte from the server");
}

async fn free_timer() {
    tokio::time::sleep(TIMER).await;
    println!("free");
}

/// Each wait in a task of its own, all at once.
async fn free(fifo: String, port: u16) {
    let file = tokio::spawn(async move { tokio::fs::read(fifo).await.expect("the FIFO") });
    let socket = tokio::spawn(free_socket(port));
    let mutex = tokio::spawn(free_mutex());
    let timer = tokio::spawn(free_timer());
    assert!(!file.await.expect("the file's task").is_empty());
    socket.await.expect("the socket's task");
    mutex.await.expect("the mutex's task");
    timer.await.expect("the timer's task");
}

async fn set_after_a_timer(flag: &AtomicBool) {
    tokio::time::sleep(Duration::from_millis(1)).await;
    flag.store(true, Ordering::SeqCst);
}

/// The calling task keeps its worker until a timer has run, for which the other one has to wait for
/// events.
async fn both_workers_wait_for_events() {
    let flag = Arc::new(AtomicBool::new(false));
    let other = Arc::clone(&flag);
    let second = tokio::spawn(async move { set_after_a_timer(&other).await });
    // The latest task stays with its worker, the one before can be taken by another.
    tokio::spawn(async {});
    while !flag.load(Ordering::SeqCst) {
        thread::yield_now();
    }
    second.await.expect("the second task");
}

/// So long that neither is one that has just come.
async fn both_workers_wait_long_before() {
    both_workers_wait_for_events().await;
    tokio::time::sleep(LATER).await;
}

async fn idle() {
    both_workers_wait_for_events().await;
    tokio::time::sleep(TIMER).await;
}

async fn shared() {
    both_workers_wait_for_events().await;
    blocking_mutex();
}

/// Gives the place away until another thread has run a task in it; that one keeps it, and this one
/// waits for other work a little later.
async fn once_before() {
    let flag = Arc::new(AtomicBool::new(false));
    let other = Arc::clone(&flag);
    let second = tokio::spawn(async move { set_after_a_timer(&other).await });
    tokio::task::block_in_place(|| {
        while !flag.load(Ordering::SeqCst) {
            thread::yield_now();
        }
    });
    second.await.expect("the second task");
    tokio::time::sleep(LATER).await;
}

/// A thread without work is woken for some, and that is no reason to leave the loop to it.
async fn blocked_after_a_job() {
    once_before().await;
    let job = tokio::task::spawn_blocking(|| ());
    blocking_mutex();
    job.await.expect("the job");
}

/// The thread waits; tasks run on another one meanwhile. `beside`: another worker waits for events.
async fn in_place(beside: bool, work: impl FnOnce()) {
    let timer = tokio::spawn(free_timer());
    if beside {
        both_workers_wait_for_events().await;
    }
    tokio::task::block_in_place(work);
    timer.await.expect("the timer's task");
}

async fn answer_lines(mut stream: tokio::net::TcpStream) {
    let mut text = [0; 4096];
    while let Ok(length) = stream.read(&mut text).await {
        let lines = text[..length].iter().filter(|byte| **byte == b'\n').count();
        if length == 0 || stream.write_all("pong\n".repeat(lines).as_bytes()).await.is_err() {
            break;
        }
    }
}

async fn serve(port: u16) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("the port");
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        tokio::spawn(answer_lines(stream));
    }
}

fn runtime(kind: &str, workers: usize) -> Runtime {
    let mut builder = match kind {
        "current" => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(workers).enable_all().build().expect("a runtime")
}

/// In a task that has waited for the timer once, so that its thread has been in the park.
fn in_task<F>(runtime: &Runtime, work: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let task = runtime.spawn(async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        work.await;
    });
    runtime.block_on(task).expect("the task");
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let fifo = arguments[3].clone();
    let port: u16 = arguments[4].parse().expect("a port");
    let (case, way) = arguments[2].split_once('-').unwrap_or((&arguments[2], ""));
    let workers = if ["idle", "shared"].contains(&case) || way == "beside" { 2 } else { 1 };
    let runtime = runtime(&arguments[1], workers);
    match way {
        "beside" => in_task(&runtime, both_workers_wait_long_before()),
        "again" => in_task(&runtime, once_before()),
        _ => {}
    }
    let beside = way == "beside";
    match case {
        "sleep" => in_task(&runtime, async { blocking_sleep() }),
        "fifo" => in_task(&runtime, async move { blocking_file(&fifo) }),
        "socket" => in_task(&runtime, async move { blocking_socket(port) }),
        "mutex" => in_task(&runtime, async { blocking_mutex() }),
        "idle" => in_task(&runtime, idle()),
        "job" => in_task(&runtime, blocked_after_a_job()),
        "serve" => in_task(&runtime, serve(port)),
        "shared" => in_task(&runtime, shared()),
        "in_place" => in_task(&runtime, async move { in_place(beside, || blocking_file(&fifo)).await }),
        "block_on" => in_task(&runtime, async move {
            in_place(beside, || Handle::current().block_on(free_socket(port))).await;
        }),
        _ => in_task(&runtime, free(fifo, port)),
    }
}
