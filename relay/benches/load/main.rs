//! `make bench-relay`: what a relayed packet costs, against coturn and against a bare forwarder, on this machine.
//!
//! ```text
//!   namespace lg, core 0                         namespace sv, core 1
//!   clients 10.99.0.1 ─┐                        ┌─ 10.99.0.10 ours, .11 turnserver, .12 bare forwarder,
//!   peers   10.99.0.2 ─┴────── veth pair ───────┴─ .13 ours with two threads, each at port 3478
//! ```
//!
//! The measure is processor time of the server per packet (/proc/PID/task/*/schedstat): it holds on a busy machine where
//! throughput does not. But the same work takes up to twice the time when somebody else computes on the other half of the
//! processor, for seconds on end. Therefore those who are compared live side by side and take turns of a quarter of a
//! second, forwards and backwards; each turn gives one ratio, of measurements less than two seconds apart, and the median of
//! all ratios is held against the bar, with its quartiles beside it. A turn begins with 40 ms that do not count and ends when
//! the last packet is through. Everything is started anew for each of five meetings, which gives 40 ratios of costs and
//! latencies, and five of allocations and memory. Generator and servers run at real-time priority where that is allowed.
//! `--meetings N`, `--turns N`, `--millis N` change the numbers, `--only NAME` plays one group and judges nothing.
//!
//! Prints one JSON object; exit status 1 when a bar is missed, 77 when this system allows no namespaces.
//!
//! `load soak --minutes N`: the relay under calls that come and go; flat memory and file descriptors.
//! `load chromium`: a browser's call that may use nothing but our relay.
//! `load flood`: a million Allocates of strangers: memory flat, no more bytes out than in.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement on real sockets and clocks, told on the terminal"
)]

mod calls;
mod chromium;
mod generate;
mod place;
mod soak;
mod versus;

use std::process::ExitCode;

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["serve", options @ ..] => place::serve(options),
        ["forward", listen, to] => place::forward(listen, to),
        ["generate", options @ ..] => generate::run(options),
        ["soak", options @ ..] => soak::run(options),
        ["flood"] => soak::flood(),
        ["chromium"] => chromium::run(),
        options => versus::run(options),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `--name value` among the options.
pub(crate) fn option<'a>(options: &[&'a str], name: &str) -> Option<&'a str> {
    options.iter().position(|option| *option == name).and_then(|at| options.get(at + 1)).copied()
}

pub(crate) fn number(options: &[&str], name: &str, default: u64) -> Outcome<u64> {
    Ok(option(options, name).map_or(Ok(default), str::parse)?)
}
