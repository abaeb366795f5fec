//! The proof: real `silbo` processes in calls with each other, on loopback, behind NATs and in real windows.
//!
//! Nothing ships from here. [`script`] plays a call between [`process::Silbo`] processes, each in a
//! [`process::Place`]: this machine's loopback, or a host of a NAT lab made by [`netns`]. What was heard is scored by
//! [`quality`] against what [`speech`] said; where a [`tone`] is enough, by how much of it is one. [`desktop`] is a screen of its own for windows, driven by keyboard and
//! mouse.
//!
//! ```text
//!   speech ──► file: microphone ──► silbo ══ network of netns ══► silbo ──► file: speaker ──► quality
//!                                     └── JSON events ──► script ──┘
//! ```
//!
//! [`grid`] makes calls between uplinks of every kind, and holds what they became against theory.
//!
//! [`shapes`] makes them where two uplinks are not all there is to a network: a router shared, IPv6, short mappings.
//!
//! [`outlive`] takes the ways of a call away while it goes on, and measures what is missed; [`guess`] lets one be found.
//!
//! [`field`] watches what supernodes and leaves cost, and kills them; [`serving`] holds a volunteer's supernode to what it
//! promises, with the TURN clients of [`turn`].
//!
//! [`links`] plays the congestion control of video on links made of numbers (`links`).
//!
//! [`browser`] is a Chromium that calls, and is called; [`pictures`] sends what is seen over slow links, as it does.
//!
//! [`beside`] listens to a voice that shares a link with pictures and a download ([`bulk`]), [`page`] reads text that is shared
//! from a screen; both are calls of a [`pair`] of bare endpoints. [`sight`] asks how soon people see each other, and what it costs.
//!
//! [`voice`] plays the voice that ships over links made of numbers, and scores what is heard (`voice`); [`room`] gives its
//! microphone an echo (`room`).
//!
//! [`capture`] keeps what comes to a host and finds addresses in it.
//!
//! [`person`] works a real window by keyboard; `story` is what two of them live through.
//!
//! Commands: `nat`, `story`, `setup`, `shapes`, `blocked`, `portmap`, `outlive`, `guess`, `dead_ends`, `stranger`, `links`, `pictures`, `video`, `voice`, `room` and `volunteer` (`make lab`), `bench` and `hour` (`make bench`), `overlay`
//! (`make bench-overlay`). Tests: `tests/call.rs`, `tests/overlay.rs`, `tests/window.rs`, `tests/story.rs`.
//! What it refuses to do: leave processes, namespaces or screens behind. Children die with the thread that started
//! them (`setpriv --pdeathsig`), and the NAT lab lives in namespaces that the kernel removes with its first process.

pub mod beside;
pub mod browser;
pub mod bulk;
pub mod capture;
pub mod cards;
pub mod desktop;
pub mod field;
pub mod flood;
pub mod grid;
pub mod guess;
pub mod link;
pub mod links;
pub mod netns;
pub mod outlive;
pub mod page;
pub mod pair;
pub mod person;
pub mod pictures;
pub mod ports;
pub mod process;
pub mod quality;
pub mod reflect;
pub mod room;
pub mod script;
pub mod serving;
pub mod shapes;
pub mod sight;
pub mod sim;
pub mod speech;
pub mod stall;
pub mod tone;
pub mod turn;
pub mod voice;

use std::path::{Path, PathBuf};

/// The folder of everything built, where the lab also keeps speech, recordings and screenshots.
///
/// It is found from the running executable (`target/debug/nat`, `target/debug/deps/call-…`), so it follows
/// `CARGO_TARGET_DIR`.
pub fn target() -> anyhow::Result<PathBuf> {
    let profile = build()?;
    profile.parent().map(Path::to_path_buf).ok_or_else(|| anyhow::anyhow!("{profile:?} has no parent"))
}

/// The folder of this build's binaries (`target/debug`, `target/release`).
pub fn build() -> anyhow::Result<PathBuf> {
    let exe = std::env::current_exe()?;
    exe.ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps") && !folder.ends_with("examples"))
        .map(Path::to_path_buf)
        .ok_or_else(|| anyhow::anyhow!("{exe:?} is in no build folder"))
}

/// The `silbo` binary under test: `SILBO_BIN`, or the one beside this executable.
pub fn silbo() -> anyhow::Result<PathBuf> {
    let path = match std::env::var_os("SILBO_BIN") {
        Some(path) => path.into(),
        None => build()?.join("silbo"),
    };
    anyhow::ensure!(
        path.is_file(),
        "{} is not built: run `cargo build --workspace --all-targets` (or `make test`) first",
        path.display()
    );
    Ok(path)
}

/// A folder for what one test or case leaves behind to be looked at, emptied now.
pub fn leavings(name: &str) -> anyhow::Result<PathBuf> {
    let folder = target()?.join("lab").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
