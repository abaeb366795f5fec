//! Everything that comes to an interface, and which addresses are written in it.
//!
//! ```text
//!   veth ──▶ process in its namespace ──▶ file: (length of 4 bytes, frame)* ──▶ Capture::find
//! ```

use crate::link::Frames;
use crate::process::{EndsWithUs, Place};
use anyhow::{Context as _, Result, bail};
use std::fs::File;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// The first argument under which the program serves [`serve`].
pub const WORD: &str = "capture";

/// The largest frame, with what the kernel has put together.
const LARGEST: usize = 1 << 16;

/// Writes what comes to an interface of this namespace to a file until it is killed: `interface file`.
pub fn serve(words: &[String]) -> Result<()> {
    let [interface, file] = words else { bail!("a capture wants an interface and a file") };
    let frames = Frames::open(interface)?;
    let mut file = File::create(file)?;
    let mut buffer = vec![0; LARGEST];
    loop {
        let length = frames.receive(&mut buffer)?;
        let mut record = u32::try_from(length)?.to_be_bytes().to_vec();
        record.extend(&buffer[..length]);
        // One write a frame: what is killed leaves whole frames.
        file.write_all(&record)?;
    }
}

/// A capture under way.
#[derive(Debug)]
pub struct Capture {
    file: PathBuf,
    _process: EndsWithUs,
}

impl Capture {
    /// Begins. The program running must serve [`WORD`] by calling [`serve`].
    pub fn start(place: &Place, interface: &str, file: &Path) -> Result<Self> {
        let exe = std::env::current_exe()?;
        let process = place.command(&exe).args([WORD, interface]).arg(file).spawn()?;
        crate::process::poll("capture", crate::script::PATIENCE, || Ok(file.exists().then_some(())))?;
        Ok(Self { file: file.to_owned(), _process: EndsWithUs(process) })
    }

    /// The frames that came until now.
    pub fn frames(&self) -> Result<Vec<Vec<u8>>> {
        let bytes =
            std::fs::read(&self.file).with_context(|| format!("cannot read {}", self.file.display()))?;
        Ok(split(&bytes))
    }
}

fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((frame, rest)) = rest.split_at_checked(length) else { break };
        frames.push(frame.to_vec());
        bytes = rest;
    }
    frames
}

/// How many frames have this address in them: in a header, in a payload as bytes, as STUN masks it, or in letters.
pub fn holding(frames: &[Vec<u8>], address: Ipv4Addr) -> usize {
    let plain = address.octets();
    let masked = (u32::from(address) ^ STUN_COOKIE).to_be_bytes();
    let letters = address.to_string();
    let has = |frame: &[u8], what: &[u8]| frame.windows(what.len()).any(|window| window == what);
    let holds =
        |frame: &&Vec<u8>| has(frame, &plain) || has(frame, &masked) || has(frame, letters.as_bytes());
    frames.iter().filter(holds).count()
}

/// RFC 8489 §14.2: the upper half of the cookie masks the port, all of it the address.
const STUN_COOKIE: u32 = 0x2112_A442;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_however_it_is_written() {
        let address = Ipv4Addr::new(203, 0, 113, 22);
        let plain = [0, 1, 203, 0, 113, 22, 9].to_vec();
        let masked = [7, 203 ^ 0x21, 0x12, 113 ^ 0xA4, 22 ^ 0x42].to_vec();
        let letters = b"host 203.0.113.22 port".to_vec();
        let other = [203, 0, 113, 23, 22].to_vec();
        assert_eq!(holding(&[plain, masked, letters, other], address), 3);
        assert_eq!(holding(&[Vec::new(), vec![203]], address), 0);
    }

    #[test]
    fn frames_are_read_back_and_half_a_frame_is_none() {
        let bytes = [&[0, 0, 0, 2, 8, 9][..], &[0, 0, 0, 0], &[0, 0, 0, 9, 1, 2]].concat();
        assert_eq!(split(&bytes), [vec![8, 9], vec![]]);
        assert!(split(&[0, 0]).is_empty());
    }
}
