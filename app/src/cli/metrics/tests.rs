use super::*;
use overlay::{
    NatKind, Role, Status,
    outcome::{Kept, Skew, Stats, Traffic, UdpState},
    wire::Load,
};
use std::collections::{BTreeMap, BTreeSet};

/// Every figure is another number, so that none can stand in another's place.
fn report() -> Report {
    let stats = Stats {
        messages: 11,
        malformed: 12,
        limited: 13,
        refused_records: 14,
        incompatible: 15,
        envelopes_forwarded: 16,
        passed_on: 45,
        bytes_passed_on: 46,
        calls_vouched: 17,
        bytes_vouched: 18,
        credit_honoured: 19,
        ..Stats::default()
    };
    Report {
        status: Status {
            homes: 1,
            supernodes_known: 2,
            role: Role::Supernode,
            nat: NatKind::Open,
            observed: None,
            serves_at: None,
            candidacy: overlay::volunteer::Candidacy::default(),
            filtering: overlay::volunteer::Filtering::default(),
            load: Load::percent(3),
            clock: Skew::default(),
            stats,
        },
        supernodes: Vec::new(),
        udp: UdpState::Works,
        addresses: Vec::new(),
        clock_behind: None,
        kept: Kept { leaves: 4, claims: 5, introductions: 6, letters: 44, vouchers: 10 },
        traffic: Traffic {
            quic_links: 7,
            tcp_links: 8,
            opened: 9,
            frames_in: 21,
            bytes_in: 22,
            frames_out: 23,
            bytes_out: 24,
        },
        relay: Some(relay::server::Stats { allocations: 31, bytes: 32, ..relay::server::Stats::default() }),
    }
}

/// Reads the text format 0.0.4 as Prometheus does, and insists on what it insists on.
fn read(text: &str) -> BTreeMap<String, f64> {
    let (mut samples, mut types) = (BTreeMap::new(), BTreeMap::new());
    let mut helped = BTreeSet::new();
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
    };
    assert!(text.ends_with('\n'), "the last line must end");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(is_name(name) && help.ends_with('.') && helped.insert(name), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(matches!(kind, "counter" | "gauge") && helped.contains(name), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(types.insert(name, kind).is_none(), "{name} has two types");
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            assert!(types.contains_key(name), "{line} before its type");
            if let Some(labels) = series.strip_prefix(name).filter(|labels| !labels.is_empty()) {
                let pair = labels.strip_prefix('{').and_then(|rest| rest.strip_suffix("\"}")).unwrap();
                let (label, of) = pair.split_once("=\"").unwrap();
                assert!(is_name(label) && !of.contains(['"', '\\', '\n']), "{line}");
            }
            let value: f64 = value.parse().unwrap();
            assert!(samples.insert(series.to_owned(), value).is_none(), "{series} twice");
        }
    }
    assert_eq!(types.len(), helped.len());
    samples
}

#[test]
fn the_figures_are_the_text_format_and_each_is_in_its_place() {
    let samples = read(&render(&report()));
    for (series, value) in [
        ("silbo_leaves", 4.0),
        ("silbo_load_percent", 3.0),
        ("silbo_supernodes_known", 2.0),
        ("silbo_claims", 5.0),
        ("silbo_introductions", 6.0),
        ("silbo_letters", 44.0),
        ("silbo_links{carrier=\"quic\"}", 7.0),
        ("silbo_links{carrier=\"tcp\"}", 8.0),
        ("silbo_links_opened_total", 9.0),
        ("silbo_link_bytes_total{direction=\"in\"}", 22.0),
        ("silbo_link_frames_total{direction=\"out\"}", 23.0),
        ("silbo_messages_total", 11.0),
        ("silbo_refused_total{reason=\"malformed\"}", 12.0),
        ("silbo_envelopes_forwarded_total", 16.0),
        ("silbo_vouchers", 10.0),
        ("silbo_passed_on_total", 45.0),
        ("silbo_passed_on_bytes_total", 46.0),
        ("silbo_calls_vouched_total", 17.0),
        ("silbo_bytes_vouched_total", 18.0),
        ("silbo_credit_honoured_total", 19.0),
        ("silbo_relay_allocations", 31.0),
        ("silbo_relay_bytes_total", 32.0),
    ] {
        assert_eq!(samples.get(series), Some(&value), "{series}");
    }
    let without_relay = read(&render(&Report { relay: None, ..report() }));
    assert!(!without_relay.keys().any(|series| series.starts_with("silbo_relay")));
}

/// A command line that asks for metrics there.
fn supernode(metrics: &str) -> Supernode {
    Supernode {
        listen: None,
        relay_listen: None,
        tcp_listen: Vec::new(),
        public: None,
        max_kbps: None,
        max_leaves: 1,
        drain: Duration::ZERO,
        status: false,
        metrics: Some(metrics.parse().unwrap()),
    }
}

#[test]
fn metrics_are_for_this_computer_only() {
    for address in ["0.0.0.0:0", "192.168.1.1:0", "[::]:0", "[::ffff:8.8.8.8]:0"] {
        let refused = Metrics::bind(&supernode(address)).unwrap_err();
        assert!(matches!(&refused, Reason::Usage(why) if why.contains("127.0.0.1")), "{refused:?}");
    }
    let first = Metrics::bind(&supernode("127.0.0.1:0")).unwrap().unwrap();
    let taken = first.0.local_addr().unwrap().to_string();
    assert!(matches!(Metrics::bind(&supernode(&taken)), Err(Reason::PortInUse(_))));
}

/// Sends bytes, ends the sending side, and returns what comes back.
async fn exchange(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (served, _) = listener.accept().await.unwrap();
    let serving = tokio::spawn(async move {
        let _ = answer(served, || async { Some(render(&report())) }).await;
    });
    // A refusal may come before everything is written.
    let _ = client.write_all(&bytes).await;
    let _ = client.shutdown().await;
    let mut got = Vec::new();
    let _ = client.read_to_end(&mut got).await;
    serving.await.unwrap();
    String::from_utf8(got).unwrap()
}

#[tokio::test]
async fn http_requests_are_answered_and_nonsense_is_refused() {
    let got = exchange(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()).await;
    let (head, body) = got.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("version=0.0.4"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
    assert_eq!(read(body)["silbo_leaves"], 4.0);

    let head = exchange(b"HEAD /metrics HTTP/1.1\r\n\r\n".to_vec()).await;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    for (request, status) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n".to_vec(), "405"),
        (b"\x16\x03\x01\x02\x00\x01".to_vec(), "400"),
        ([b"GET /metrics HTTP/1.1\r\nA: ".to_vec(), vec![b'a'; 2 * MAX_HEAD]].concat(), "400"),
    ] {
        let got = exchange(request).await;
        assert!(got.is_empty() || got.starts_with(&format!("HTTP/1.1 {status}")), "{got}");
    }
    assert_eq!(exchange(b"GET /metr".to_vec()).await, "", "half a request is no request");
}
