//! A download that takes what it can get: one TCP connection from one place to another.
//!
//! ```text
//!   source ── zeros, as fast as TCP lets them ──▶ sink: {"bytes": so many} every half second
//! ```

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::process::{EndsWithUs, Place, Silbo, Turn};

/// The first argument under which the program serves [`serve`].
pub const WORD: &str = "bulk";

/// A download that is under way until it is dropped.
#[derive(Debug)]
pub struct Bulk {
    sink: Silbo,
    began: Instant,
    _source: EndsWithUs,
}

impl Bulk {
    /// Starts it; the program running must serve [`WORD`] by calling [`serve`].
    pub fn start(from: &Place, to: &Place, address: Ipv4Addr, folder: &Path) -> Result<Self> {
        let exe = std::env::current_exe()?;
        let address = SocketAddr::from((address, PORT)).to_string();
        let mut command = to.command_at(Turn::Usual, &exe);
        command.args([WORD, "sink", &address]);
        let mut sink = Silbo::spawn("sink", command, folder)?;
        sink.expect_where("listening", PATIENCE, |line| line["bytes"] == 0)?;
        let source = from.command(&exe).args([WORD, "source", &address]).spawn()?;
        Ok(Self { sink, began: Instant::now(), _source: EndsWithUs(source) })
    }

    /// Bits per second that arrived so far.
    pub fn rate(&mut self) -> Result<f64> {
        let elapsed = self.began.elapsed();
        let bytes = self.sink.seen().last().and_then(|line| line["bytes"].as_f64());
        Ok(bytes.context("the sink says nothing")? * 8.0 / elapsed.as_secs_f64())
    }
}

const PORT: u16 = 5001;
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the sink tells.
const TELLS: Duration = Duration::from_millis(500);

/// One end of the download: `sink|source IP:PORT`.
pub fn serve(arguments: &[String]) -> Result<()> {
    let [end, address] = arguments else { bail!("a download wants an end and an address") };
    let address: SocketAddr = address.parse()?;
    let mut block = [0; 16 * 1024];
    match end.as_str() {
        "source" => {
            let mut stream = TcpStream::connect(address)?;
            loop {
                stream.write_all(&block)?;
            }
        }
        "sink" => {
            let listener = TcpListener::bind(address)?;
            let (mut bytes, mut told) = (0, Instant::now());
            tell(bytes)?;
            let mut stream = listener.accept()?.0;
            loop {
                match stream.read(&mut block)? {
                    0 => return Ok(()),
                    read => bytes += read,
                }
                if told.elapsed() >= TELLS {
                    told = Instant::now();
                    tell(bytes)?;
                }
            }
        }
        other => bail!("a download has no {other}"),
    }
}

fn tell(bytes: usize) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{}", json!({ "bytes": bytes }))?;
    Ok(out.flush()?)
}
