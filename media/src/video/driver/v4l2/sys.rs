//! Video4Linux2 behind safe functions: `ioctl`, `mmap` and `poll` of a device file. The only unsafe code of cameras.
//!
//! ```text
//! Device ── map: REQBUFS, QUERYBUF, mmap ──▶ Stream, silent ── start: QBUF .., STREAMON ──▶ running
//!    running: poll, DQBUF ─▶ bytes are ours to read ─▶ QBUF
//! ```
#![expect(unsafe_code, reason = "the kernel speaks ioctl and mmap, and safe wrappers of it need libclang")]

use std::ffi::{c_int, c_short};
use std::fs::{File, OpenOptions};
use std::io;
use std::mem;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::slice;
use std::time::Duration;

use super::abi::{
    Buffer, BufferRequest, CAN_CAPTURE, CAN_STREAM, CAPTURE, Capability, DAMAGED, DISCRETE, DQBUF, ENUM_FMT,
    ENUM_FRAMEINTERVALS, ENUM_FRAMESIZES, FIELD_NONE, Format, FormatBody, FormatDescription, FrameInterval,
    FrameSize, MMAP, Parameters, PixFormat, QBUF, QUERYBUF, QUERYCAP, REQBUFS, Request, S_FMT, S_PARM,
    SAYS_OF_NODE, STREAMOFF, STREAMON,
};
use crate::video::camera::FourCc;
use crate::video::camera::choice::{Interval, Sides};

/// Buffers that are mapped at most, whatever a driver says.
const MOST_BUFFERS: u32 = 32;

/// An open device file, perhaps a camera's.
#[derive(Debug)]
pub(super) struct Device(File);

/// What a device can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ability {
    /// It gives pictures in buffers.
    Stream,
    /// Something else.
    Other,
}

impl Device {
    /// Opens it without waiting for anybody.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path).map(Self)
    }

    /// Fails with `ENOTTY` on what is no video device at all.
    pub(super) fn ability(&self) -> io::Result<Ability> {
        let found = self.ask(QUERYCAP, zeroed())?;
        let abilities =
            if found.capabilities & SAYS_OF_NODE == 0 { found.capabilities } else { found.device_caps };
        let all = CAN_CAPTURE | CAN_STREAM;
        Ok(if abilities & all == all { Ability::Stream } else { Ability::Other })
    }

    /// The format of this number; none after the last.
    pub(super) fn format(&self, index: u32) -> io::Result<Option<FourCc>> {
        let asked = FormatDescription { index, kind: CAPTURE, ..zeroed() };
        let found = up_to_the_last(self.ask(ENUM_FMT, asked))?;
        Ok(found.map(|found| FourCc(found.code.to_le_bytes())))
    }

    /// Widths and heights of this number; none after the last.
    pub(super) fn sizes(&self, index: u32, code: FourCc) -> io::Result<Option<(Sides, Sides)>> {
        let asked = FrameSize { index, code: u32::from_le_bytes(code.0), ..zeroed() };
        let found = up_to_the_last(self.ask(ENUM_FRAMESIZES, asked))?;
        Ok(found.map(|FrameSize { kind, sides, .. }| match (kind, sides) {
            (DISCRETE, [width, height, ..]) => {
                let one = |side| Sides { min: side, max: side, step: 0 };
                (one(width), one(height))
            }
            (_, [min, max, step, low, high, rise]) => {
                (Sides { min, max, step }, Sides { min: low, max: high, step: rise })
            }
        }))
    }

    /// The interval of this number, or the shortest of many; none after the last.
    pub(super) fn interval(
        &self,
        index: u32,
        code: FourCc,
        (width, height): (u32, u32),
    ) -> io::Result<Option<Interval>> {
        let code = u32::from_le_bytes(code.0);
        let asked = FrameInterval { index, code, width, height, ..zeroed() };
        let found = up_to_the_last(self.ask(ENUM_FRAMEINTERVALS, asked))?;
        Ok(found.map(|found| Interval { numerator: found.first[0], denominator: found.first[1] }))
    }

    /// Asks for pictures laid out so; what they will be comes back. Fails with `EBUSY` if somebody else takes some.
    pub(super) fn set_format(&self, code: FourCc, (width, height): (u32, u32)) -> io::Result<PixFormat> {
        let pix = PixFormat {
            width,
            height,
            code: u32::from_le_bytes(code.0),
            field: FIELD_NONE,
            ..PixFormat::default()
        };
        let asked = Format { kind: CAPTURE, body: FormatBody { pix, ..zeroed() } };
        Ok(self.ask(S_FMT, asked)?.body.pix)
    }

    /// Asks for so many seconds between two pictures.
    pub(super) fn set_interval(&self, interval: Interval) -> io::Result<()> {
        let Interval { numerator, denominator } = interval;
        self.ask(S_PARM, Parameters { kind: CAPTURE, numerator, denominator, ..zeroed() }).map(drop)
    }

    /// Maps buffers, `count` of them if the driver has no other idea.
    pub(super) fn map(self, count: u32) -> io::Result<Stream> {
        let asked = BufferRequest { count, kind: CAPTURE, memory: MMAP, ..zeroed() };
        let granted = self.ask(REQBUFS, asked)?.count;
        let mut buffers = Vec::new();
        for index in 0..granted.min(MOST_BUFFERS) {
            let buffer = self.ask(QUERYBUF, buffer(index))?;
            buffers.push(Mapping::new(&self.0, &buffer)?);
        }
        if buffers.is_empty() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        Ok(Stream { buffers, device: self })
    }

    /// One request, and what the kernel makes of its argument.
    fn ask<T: Plain>(&self, request: Request<T>, mut argument: T) -> io::Result<T> {
        loop {
            // SAFETY: the descriptor is open, and the request was made for this type, of which the kernel reads and
            // writes no more than its size, during the call only. Whatever it writes is a value, as `Plain` promises.
            let status = unsafe { libc::ioctl(self.0.as_raw_fd(), request.number, &raw mut argument) };
            if status >= 0 {
                return Ok(argument);
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

/// A camera and the memory into which it writes; dropping it stops the camera.
#[derive(Debug)]
pub(super) struct Stream {
    buffers: Vec<Mapping>,
    device: Device,
}

impl Stream {
    /// Begins to take pictures.
    pub(super) fn start(&self) -> io::Result<()> {
        for index in (0..).take(self.buffers.len()) {
            self.device.ask(QBUF, buffer(index))?;
        }
        self.device.ask(STREAMON, CAPTURE as c_int).map(drop)
    }

    /// Whether there is a picture, for which it waits no longer than that. Fails with `ENODEV` when the camera is gone.
    pub(super) fn wait(&self, longest: Duration) -> io::Result<bool> {
        let mut asked = libc::pollfd { fd: self.device.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let longest = c_int::try_from(longest.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: `poll` reads and writes this one structure during the call.
        let status = unsafe { libc::poll(&raw mut asked, 1, longest) };
        if status < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok(false) } else { Err(error) };
        }
        const GONE: c_short = libc::POLLERR | libc::POLLHUP | libc::POLLNVAL;
        if asked.revents & GONE != 0 {
            return Err(io::Error::from_raw_os_error(libc::ENODEV));
        }
        Ok(asked.revents & libc::POLLIN != 0)
    }

    /// Reads the newest whole picture there is, without waiting; older ones are passed over. Beside its bytes: when it
    /// was taken on [`monotonic`], if that is told.
    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "no other call may give the buffer back that is being read"
    )]
    pub(super) fn newest<R>(
        &mut self,
        read: impl FnOnce(&[u8], Option<Duration>) -> R,
    ) -> io::Result<Option<R>> {
        let mut newest: Option<Buffer> = None;
        // No more than there are: a camera that is faster than we are does not keep us here.
        for _ in 0..self.buffers.len() {
            let filled = match self.device.ask(DQBUF, buffer(0)) {
                Ok(filled) => filled,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            let whole = filled.flags & DAMAGED == 0 && filled.used > 0;
            let older = if whole { newest.replace(filled) } else { Some(filled) };
            if let Some(older) = older {
                self.device.ask(QBUF, buffer(older.index))?;
            }
        }
        let Some(newest) = newest else { return Ok(None) };
        let mapping = self.buffers.get(newest.index as usize);
        let Some(mapping) = mapping else { return Err(io::ErrorKind::InvalidData.into()) };
        let read = read(mapping.bytes(newest.used as usize), newest.stamp());
        self.device.ask(QBUF, buffer(newest.index))?;
        Ok(Some(read))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Err(error) = self.device.ask(STREAMOFF, CAPTURE as c_int) {
            tracing::debug!(%error, "a camera did not stop");
        }
    }
}

/// What the clock shows on which pictures are stamped (`CLOCK_MONOTONIC`).
pub(super) fn monotonic() -> io::Result<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes this one structure.
    if unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0)))
}

/// Memory that a driver and we see.
#[derive(Debug)]
struct Mapping {
    first: NonNull<u8>,
    length: usize,
}

// SAFETY: the memory belongs to the process, not to a thread, and is only read through `&self` by whoever owns it.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(file: &File, buffer: &Buffer) -> io::Result<Self> {
        let length = buffer.length as usize;
        // SAFETY: offset and length are what the kernel has just given for this file; it chooses a place that is free.
        // Reading `offset` is right, for that is the part of the union which `MMAP` fills.
        let place = unsafe {
            let offset = libc::off_t::from(buffer.place.offset);
            libc::mmap(ptr::null_mut(), length, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), offset)
        };
        if place == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let Some(first) = NonNull::new(place.cast()) else { return Err(io::ErrorKind::OutOfMemory.into()) };
        Ok(Self { first, length })
    }

    /// The first bytes. To be called only between DQBUF and QBUF of this buffer.
    fn bytes(&self, used: usize) -> &[u8] {
        // SAFETY: so many bytes are mapped until `self` is dropped. The driver writes into a buffer from QBUF to DQBUF
        // only, and `Stream::newest`, the one caller, gives it back after the slice is gone; it borrows the stream as a
        // whole, so that nothing else gives it back before.
        unsafe { slice::from_raw_parts(self.first.as_ptr(), used.min(self.length)) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and no slice of it outlives `self`.
        if unsafe { libc::munmap(self.first.as_ptr().cast(), self.length) } != 0 {
            tracing::debug!(error = %io::Error::last_os_error(), "memory of a camera stays mapped");
        }
    }
}

/// # Safety
/// All bits, zeros too, are a value: integers, and unions and arrays of such.
unsafe trait Plain: Copy {}

fn zeroed<T: Plain>() -> T {
    // SAFETY: zeros are a value of every `Plain`.
    unsafe { mem::zeroed() }
}

/// The kernel says `EINVAL` of the number after the last.
fn up_to_the_last<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(None),
        Err(error) => Err(error),
    }
}

fn buffer(index: u32) -> Buffer {
    Buffer { index, kind: CAPTURE, memory: MMAP, ..zeroed() }
}

// SAFETY: all of these consist of integers, and of unions and arrays of such.
unsafe impl Plain for Capability {}
// SAFETY: as above.
unsafe impl Plain for FormatDescription {}
// SAFETY: as above.
unsafe impl Plain for Format {}
// SAFETY: as above.
unsafe impl Plain for FormatBody {}
// SAFETY: as above.
unsafe impl Plain for FrameSize {}
// SAFETY: as above.
unsafe impl Plain for FrameInterval {}
// SAFETY: as above.
unsafe impl Plain for Parameters {}
// SAFETY: as above.
unsafe impl Plain for BufferRequest {}
// SAFETY: as above.
unsafe impl Plain for Buffer {}
// SAFETY: as above.
unsafe impl Plain for c_int {}
