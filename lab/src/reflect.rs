//! Proof that a NAT of the lab is what it says: seen from outside, in RFC 4787's words.
//!
//! The public host answers datagrams with the address they came from; the host at home compares what two ports of it
//! saw, and waits for a datagram from a third port it never wrote to.

use crate::netns::{Home, Internet, PUBLIC};
use crate::process::run;
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::net::{SocketAddr, UdpSocket};
use std::process::Child;
use std::time::Duration;

/// What a NAT does, as measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    /// One public port for every destination.
    pub endpoint_independent_mapping: bool,
    /// Datagrams from a port that was never written to come in.
    pub endpoint_independent_filtering: bool,
}

/// Measures the NAT of `home`; the program running must serve [`WORD`] by calling [`serve`].
pub fn measure(internet: &Internet, home: Home) -> Result<Behaviour> {
    let exe = std::env::current_exe()?;
    let mirror = internet.public_host().command(&exe).args([WORD, "mirror"]).spawn()?;
    let _mirror = EndsWithUs(mirror);
    let json = run(home.host().command(&exe).args([WORD, "look"]))?;
    serde_json::from_str(&json).with_context(|| format!("the probe said {json:?}"))
}

/// The first argument under which the program serves [`serve`].
pub const WORD: &str = "reflect";

/// The two halves of the measurement: `mirror` at the public host, `look` at home. Returns what to print.
pub fn serve(half: &str) -> Result<String> {
    match half {
        "mirror" => mirror(),
        "look" => Ok(serde_json::to_string(&look()?)?),
        other => anyhow::bail!("no half of the measurement is called {other}"),
    }
}

/// Ports of the mirror: two that answer, and one that speaks unasked after the first was written to.
const FIRST: u16 = 7001;
const SECOND: u16 = 7002;
const STRANGER: u16 = 7003;

/// How long the looker waits for one answer; everything is within one machine.
const ANSWER: Duration = Duration::from_millis(300);
/// Tries before a silent mirror is an error; it may still be starting.
const TRIES: usize = 20;

fn mirror() -> Result<String> {
    let stranger = UdpSocket::bind((PUBLIC, STRANGER))?;
    let second = UdpSocket::bind((PUBLIC, SECOND))?;
    let first = UdpSocket::bind((PUBLIC, FIRST))?;
    let answering = second.try_clone()?;
    std::thread::Builder::new().name("second mirror".into()).spawn(move || {
        while let Ok((_, from)) = answering.recv_from(&mut [0; 64]) {
            let _ = answering.send_to(from.to_string().as_bytes(), from);
        }
    })?;
    loop {
        let (_, from) = first.recv_from(&mut [0; 64])?;
        stranger.send_to(b"stranger", from)?;
        first.send_to(from.to_string().as_bytes(), from)?;
    }
}

fn look() -> Result<Behaviour> {
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    socket.set_read_timeout(Some(ANSWER))?;
    let mut stranger_came = false;
    let first = ask(&socket, FIRST, &mut stranger_came)?;
    let second = ask(&socket, SECOND, &mut stranger_came)?;
    Ok(Behaviour {
        endpoint_independent_mapping: first == second,
        endpoint_independent_filtering: stranger_came,
    })
}

/// Our address as one port of the mirror sees it.
fn ask(socket: &UdpSocket, port: u16, stranger_came: &mut bool) -> Result<SocketAddr> {
    let mut answer = [0; 64];
    for _ in 0..TRIES {
        socket.send_to(b"who am I", (PUBLIC, port))?;
        while let Ok((length, from)) = socket.recv_from(&mut answer) {
            if from.port() == STRANGER {
                *stranger_came = true;
            } else if from.port() == port {
                return Ok(std::str::from_utf8(&answer[..length])?.parse()?);
            }
        }
    }
    anyhow::bail!("the mirror at port {port} never answered")
}

/// A helper process that must not outlive the measurement.
struct EndsWithUs(Child);

impl Drop for EndsWithUs {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
