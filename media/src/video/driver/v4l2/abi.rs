//! Structures and numbers of `linux/videodev2.h`, as far as cameras need them.
//!
//! Their sizes are part of the numbers; a build for a machine of 64 bits checks both against what a C compiler finds.

use std::ffi::{c_int, c_ulong};
use std::marker::PhantomData;
use std::mem::offset_of;
use std::time::Duration;

/// `V4L2_BUF_TYPE_VIDEO_CAPTURE`.
pub(super) const CAPTURE: u32 = 1;
/// `V4L2_MEMORY_MMAP`.
pub(super) const MMAP: u32 = 1;
/// `V4L2_CAP_VIDEO_CAPTURE`, `V4L2_CAP_STREAMING` and `V4L2_CAP_DEVICE_CAPS`.
pub(super) const CAN_CAPTURE: u32 = 0x0000_0001;
pub(super) const CAN_STREAM: u32 = 0x0400_0000;
pub(super) const SAYS_OF_NODE: u32 = 0x8000_0000;
/// `V4L2_FIELD_NONE`: whole pictures, line by line; and the three in which both fields are woven together.
pub(super) const FIELD_NONE: u32 = 1;
pub(super) const FIELDS_WOVEN: [u32; 3] = [4, 8, 9];
/// `V4L2_FIELD_ANY`: the driver does not say.
pub(super) const FIELD_ANY: u32 = 0;
/// `V4L2_QUANTIZATION_DEFAULT` and `V4L2_QUANTIZATION_FULL_RANGE`.
pub(super) const RANGE_USUAL: u32 = 0;
pub(super) const RANGE_FULL: u32 = 1;
/// `V4L2_COLORSPACE_JPEG`, whose usual range is the full one.
pub(super) const COLOURS_JPEG: u32 = 7;
/// `V4L2_FRMSIZE_TYPE_DISCRETE`.
pub(super) const DISCRETE: u32 = 1;
/// `V4L2_BUF_FLAG_ERROR`: the bytes are damaged.
pub(super) const DAMAGED: u32 = 0x0000_0040;
/// `V4L2_BUF_FLAG_TIMESTAMP_MASK` and `V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC`.
pub(super) const CLOCK: u32 = 0x0000_e000;
pub(super) const MONOTONIC: u32 = 0x0000_2000;

pub(super) const QUERYCAP: Request<Capability> = Request::new(libc::_IOR::<Capability>(V, 0));
pub(super) const ENUM_FMT: Request<FormatDescription> = Request::new(libc::_IOWR::<FormatDescription>(V, 2));
pub(super) const S_FMT: Request<Format> = Request::new(libc::_IOWR::<Format>(V, 5));
pub(super) const REQBUFS: Request<BufferRequest> = Request::new(libc::_IOWR::<BufferRequest>(V, 8));
pub(super) const QUERYBUF: Request<Buffer> = Request::new(libc::_IOWR::<Buffer>(V, 9));
pub(super) const QBUF: Request<Buffer> = Request::new(libc::_IOWR::<Buffer>(V, 15));
pub(super) const DQBUF: Request<Buffer> = Request::new(libc::_IOWR::<Buffer>(V, 17));
pub(super) const STREAMON: Request<c_int> = Request::new(libc::_IOW::<c_int>(V, 18));
pub(super) const STREAMOFF: Request<c_int> = Request::new(libc::_IOW::<c_int>(V, 19));
pub(super) const S_PARM: Request<Parameters> = Request::new(libc::_IOWR::<Parameters>(V, 22));
pub(super) const ENUM_FRAMESIZES: Request<FrameSize> = Request::new(libc::_IOWR::<FrameSize>(V, 74));
pub(super) const ENUM_FRAMEINTERVALS: Request<FrameInterval> =
    Request::new(libc::_IOWR::<FrameInterval>(V, 75));
/// The letter of all requests.
const V: u32 = b'V' as u32;
/// The number of a request and the type of its argument.
pub(super) struct Request<T> {
    pub(super) number: libc::Ioctl,
    argument: PhantomData<T>,
}

impl<T> Request<T> {
    const fn new(number: libc::Ioctl) -> Self {
        Self { number, argument: PhantomData }
    }
}

/// How pictures are laid out, as `v4l2_pix_format` says it.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PixFormat {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) code: u32,
    pub(super) field: u32,
    pub(super) bytes_per_line: u32,
    pub(super) bytes: u32,
    pub(super) colour_space: u32,
    pub(super) private: u32,
    pub(super) flags: u32,
    pub(super) encoding: u32,
    pub(super) quantization: u32,
    pub(super) transfer: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Capability {
    pub(super) names: [u8; 80],
    pub(super) version: u32,
    pub(super) capabilities: u32,
    pub(super) device_caps: u32,
    pub(super) reserved: [u32; 3],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct FormatDescription {
    pub(super) index: u32,
    pub(super) kind: u32,
    pub(super) flags: u32,
    pub(super) name: [u8; 32],
    pub(super) code: u32,
    pub(super) bus: u32,
    pub(super) reserved: [u32; 3],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Format {
    pub(super) kind: u32,
    pub(super) body: FormatBody,
}

/// A union of 200 bytes that is aligned as pointers are, for there are some in other parts of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct FormatBody {
    pub(super) pix: PixFormat,
    pub(super) rest: [usize; (200 - size_of::<PixFormat>()) / size_of::<usize>()],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct FrameSize {
    pub(super) index: u32,
    pub(super) code: u32,
    pub(super) kind: u32,
    /// Width and height, or least, greatest and step of both.
    pub(super) sides: [u32; 6],
    pub(super) reserved: [u32; 2],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct FrameInterval {
    pub(super) index: u32,
    pub(super) code: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) kind: u32,
    /// The only one, or the least.
    pub(super) first: [u32; 2],
    pub(super) others: [u32; 4],
    pub(super) reserved: [u32; 2],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Parameters {
    pub(super) kind: u32,
    pub(super) capability: u32,
    pub(super) mode: u32,
    pub(super) numerator: u32,
    pub(super) denominator: u32,
    pub(super) extended: u32,
    pub(super) buffers: u32,
    pub(super) rest: [u32; 44],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct BufferRequest {
    pub(super) count: u32,
    pub(super) kind: u32,
    pub(super) memory: u32,
    pub(super) capabilities: u32,
    pub(super) flags: [u8; 4],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Buffer {
    pub(super) index: u32,
    pub(super) kind: u32,
    pub(super) used: u32,
    pub(super) flags: u32,
    pub(super) field: u32,
    pub(super) timestamp: libc::timeval,
    pub(super) timecode: [u32; 4],
    pub(super) sequence: u32,
    pub(super) memory: u32,
    pub(super) place: Place,
    pub(super) length: u32,
    pub(super) reserved: [u32; 2],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) union Place {
    pub(super) offset: u32,
    pub(super) pointer: c_ulong,
}

impl Buffer {
    pub(super) fn stamp(&self) -> Option<Duration> {
        let seconds = u64::try_from(self.timestamp.tv_sec).ok()?;
        let micros = u64::try_from(self.timestamp.tv_usec).ok()?;
        let stamp = Duration::from_secs(seconds).checked_add(Duration::from_micros(micros))?;
        (self.flags & CLOCK == MONOTONIC).then_some(stamp)
    }
}

// What a C compiler finds in `linux/videodev2.h`.
#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<Capability>() == 104);
    assert!(size_of::<FormatDescription>() == 64);
    assert!(size_of::<Format>() == 208 && offset_of!(Format, body) == 8);
    assert!(size_of::<BufferRequest>() == 20);
    assert!(size_of::<Buffer>() == 88 && offset_of!(Buffer, timestamp) == 24);
    assert!(offset_of!(Buffer, place) == 64 && offset_of!(Buffer, length) == 72);
    assert!(size_of::<Parameters>() == 204);
    assert!(size_of::<FrameSize>() == 44);
    assert!(size_of::<FrameInterval>() == 52);
};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const _: () = {
    assert!(QUERYCAP.number == 0x8068_5600);
    assert!(ENUM_FMT.number == 0xc040_5602);
    assert!(S_FMT.number == 0xc0d0_5605);
    assert!(REQBUFS.number == 0xc014_5608);
    assert!(QUERYBUF.number == 0xc058_5609);
    assert!(QBUF.number == 0xc058_560f);
    assert!(DQBUF.number == 0xc058_5611);
    assert!(STREAMON.number == 0x4004_5612);
    assert!(STREAMOFF.number == 0x4004_5613);
    assert!(S_PARM.number == 0xc0cc_5616);
    assert!(ENUM_FRAMESIZES.number == 0xc02c_564a);
    assert!(ENUM_FRAMEINTERVALS.number == 0xc034_564b);
};
