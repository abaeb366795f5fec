//! Figures of a supernode for Prometheus: text format 0.0.4 over HTTP/1.1, to this computer only.
//!
//! ```text
//!   GET /metrics ─▶ 200 and the figures     another path ─▶ 404     another method ─▶ 405     nonsense ─▶ 400
//! ```
//! One request a connection, a few connections at a time, a few seconds each.

use crate::{cli::args::Supernode, engine::errand::Desk, reason::Reason};
use overlay::Report;
use std::{fmt::Write as _, net::TcpListener as StdListener, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

/// Connections served at a time; further ones wait in the system's queue.
const CONNECTIONS: usize = 8;
/// Longest head of a request; a longer one is refused.
const MAX_HEAD: usize = 8 * 1024;
/// Header lines read of it; more are refused.
const MAX_HEADERS: usize = 32;
/// A connection that takes longer is closed.
const PATIENCE: Duration = Duration::from_secs(5);
/// When the system has no more descriptors, how long to let others end.
const BREATH: Duration = Duration::from_millis(100);

/// A bound port that serves nothing yet.
#[derive(Debug)]
pub(super) struct Metrics(StdListener);

impl Metrics {
    /// Binds the port the command line asks for, if it asks for one.
    pub(super) fn bind(supernode: &Supernode) -> Result<Option<Self>, Reason> {
        let Some(address) = supernode.metrics else { return Ok(None) };
        if !address.ip().to_canonical().is_loopback() {
            return Err(Reason::Usage(format!(
                "Metrics are for this computer only, and {address} is not: give a loopback address such as 127.0.0.1:9464."
            )));
        }
        let bound = StdListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        match bound {
            Ok(listener) => Ok(Some(Self(listener))),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                Err(Reason::PortInUse(address.to_string()))
            }
            Err(error) => Err(Reason::Usage(format!("Cannot listen on {address}: {error}."))),
        }
    }

    /// Serves until dropped.
    pub(super) async fn serve(self, desk: Desk) {
        let Ok(listener) = TcpListener::from_std(self.0) else { return };
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let desk = desk.clone();
                    connections.spawn(async move {
                        let answered = async {
                            let figures = || async { desk.report().await.map(|report| render(&report)) };
                            answer(stream, figures).await
                        };
                        // Whoever is too slow, or gone, gets nothing.
                        let _ = timeout(PATIENCE, answered).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection for metrics could not be accepted");
                    sleep(BREATH).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    }
}

/// Reads one request and answers it.
async fn answer<F: Future<Output = Option<String>>>(
    mut stream: TcpStream,
    figures: impl FnOnce() -> F,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    let asked = loop {
        match parse(&head) {
            Asked::Incomplete if head.len() >= MAX_HEAD => break Asked::Nonsense,
            Asked::Incomplete => {
                if stream.read_buf(&mut head).await? == 0 {
                    return Ok(());
                }
            }
            asked => break asked,
        }
    };
    let (status, body) = match asked {
        Asked::Figures | Asked::Head => match figures().await {
            Some(body) => ("200 OK", body),
            None => ("503 Service Unavailable", "the node has stopped\n".into()),
        },
        Asked::Elsewhere => ("404 Not Found", "see /metrics\n".into()),
        Asked::OtherMethod => ("405 Method Not Allowed", "only GET\n".into()),
        Asked::Nonsense | Asked::Incomplete => ("400 Bad Request", "that is no HTTP request\n".into()),
    };
    let mut response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if asked != Asked::Head {
        response.push_str(&body);
    }
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Figures,
    Head,
    Elsewhere,
    OtherMethod,
    Nonsense,
    /// More is to come.
    Incomplete,
}

fn parse(head: &[u8]) -> Asked {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Partial) => Asked::Incomplete,
        Err(_) => Asked::Nonsense,
        Ok(httparse::Status::Complete(_)) => {
            let path = request.path.unwrap_or_default().split('?').next();
            match (request.method, path) {
                (Some("GET"), Some("/metrics")) => Asked::Figures,
                (Some("HEAD"), Some("/metrics")) => Asked::Head,
                (Some("GET" | "HEAD"), _) => Asked::Elsewhere,
                _ => Asked::OtherMethod,
            }
        }
    }
}

/// The figures in the text format.
fn render(report: &Report) -> String {
    let mut text = Text(String::new());
    let (status, stats, kept, traffic) =
        (&report.status, &report.status.stats, &report.kept, &report.traffic);
    text.gauge("silbo_leaves", "Leaves this supernode can ring.", kept.leaves as u64);
    text.gauge("silbo_load_percent", "How full this supernode says it is.", status.load.as_percent().into());
    text.gauge(
        "silbo_supernodes_known",
        "Supernodes known by a valid record.",
        status.supernodes_known as u64,
    );
    text.gauge("silbo_claims", "Username claims held.", kept.claims as u64);
    text.gauge("silbo_introductions", "Introduction records held.", kept.introductions as u64);
    text.gauge("silbo_letters", "Letters kept for people who are away.", kept.letters as u64);
    let links = [("quic", traffic.quic_links as u64), ("tcp", traffic.tcp_links as u64)];
    text.family("silbo_links", "gauge", "Links that are up.", "carrier", &links);
    text.counter("silbo_links_opened_total", "Links that ever came up.", traffic.opened);
    let frames = [("in", traffic.frames_in), ("out", traffic.frames_out)];
    text.family("silbo_link_frames_total", "counter", "Frames over links.", "direction", &frames);
    let bytes = [("in", traffic.bytes_in), ("out", traffic.bytes_out)];
    text.family("silbo_link_bytes_total", "counter", "Bytes of frames over links.", "direction", &bytes);
    text.counter("silbo_messages_total", "Messages received and understood.", stats.messages);
    let dropped = [
        ("malformed", stats.malformed),
        ("limited", stats.limited),
        ("refused_record", stats.refused_records),
        ("incompatible", stats.incompatible),
    ];
    text.family(
        "silbo_refused_total",
        "counter",
        "What was dropped or refused, and why.",
        "reason",
        &dropped,
    );
    text.counter(
        "silbo_envelopes_forwarded_total",
        "Sealed envelopes passed on to leaves.",
        stats.envelopes_forwarded,
    );
    text.counter(
        "silbo_passed_on_total",
        "Connections of others through the relay that are over and carried more than checks.",
        stats.passed_on,
    );
    text.counter("silbo_passed_on_bytes_total", "Bytes of those that are over.", stats.bytes_passed_on);
    text.gauge("silbo_vouchers", "Vouchers of those this supernode helped.", kept.vouchers as u64);
    text.counter(
        "silbo_calls_vouched_total",
        "Ends of calls that signed for what the relay carried.",
        stats.calls_vouched,
    );
    text.counter("silbo_bytes_vouched_total", "Bytes they signed for.", stats.bytes_vouched);
    text.counter(
        "silbo_credit_honoured_total",
        "Helpers that were let wait less because they had helped.",
        stats.credit_honoured,
    );
    if let Some(relay) = &report.relay {
        text.gauge("silbo_relay_allocations", "Relay allocations alive.", relay.allocations);
        text.counter("silbo_relay_allocations_total", "Relay allocations ever made.", relay.allocations_made);
        text.counter("silbo_relay_bytes_total", "Bytes of payload relayed, both ways.", relay.bytes);
        let packets = [("to_peers", relay.packets_to_peers), ("to_clients", relay.packets_to_clients)];
        text.family("silbo_relay_packets_total", "counter", "Payloads relayed.", "direction", &packets);
        text.counter("silbo_relay_bindings_total", "STUN Binding requests answered.", relay.bindings);
        let refused = [
            ("error", relay.errors),
            ("malformed", relay.malformed),
            ("rate_limited", relay.rate_limited),
            ("payload", relay.refused),
            ("over_cap", relay.over_cap),
        ];
        text.family(
            "silbo_relay_refused_total",
            "counter",
            "What the relay refused, and why.",
            "reason",
            &refused,
        );
    }
    text.0
}

/// The text format as it grows.
struct Text(String);

impl Text {
    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.single(name, "gauge", help, value);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.single(name, "counter", help, value);
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn family(&mut self, name: &str, kind: &str, help: &str, label: &str, values: &[(&str, u64)]) {
        self.head(name, kind, help);
        for (of, value) in values {
            let _ = writeln!(self.0, "{name}{{{label}=\"{of}\"}} {value}");
        }
    }

    // Writing into a String cannot fail.
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }
}

#[cfg(test)]
mod tests;
