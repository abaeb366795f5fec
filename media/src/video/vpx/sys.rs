//! libvpx behind safe functions. The only unsafe code of this crate.
//!
//! A context is made by its init function and lives in a box until it is destroyed; whatever libvpx points to is copied
//! before the next call into the same context.
#![expect(unsafe_code, reason = "libvpx is a C library, and no safe wrapper builds without libclang")]

use std::ffi::{CStr, c_int, c_long, c_uint, c_ulong};
use std::mem::MaybeUninit;
use std::ptr;
use std::slice;

use vpx_sys as vpx;
use vpx_sys::{
    vp8e_enc_control_id as control, vpx_codec_ctx_t as Context, vpx_codec_enc_cfg_t as Config,
    vpx_codec_err_t as Status,
};

use super::encoder::{Buffers, EncoderConfig, Place};
use super::{Codec, Content, Kind, Layers, VpxError, Wish};
use crate::video::frame::{I420, Plane, Size, Taken};

/// More threads make libvpx spin: 35-80 ms of work for a picture of 720p instead of 6 (VP8).
const THREADS: c_uint = 1;
/// Speed against quality: what real time takes. A large picture of a camera takes a
/// third less of the processor at the second (6.4 ms for 720 lines; 7.3 at -10) and is worse by 0.1 dB at most, but at -14
/// by 1.5 dB; a small one, and text, is not worth it.
const VP8_CPU_USED: (c_int, c_int) = (-6, -12);
/// Pixels of a large one, at least.
const LARGE: usize = 900 * 500;
const VP9_CPU_USED: c_int = 8;
/// Below this fullness of its buffer, in percent, the encoder leaves pictures out. Of a screen none: after a whole page its
/// buffer is empty for a second, and a line that is typed then must not wait. What waits to be sent bounds them, too.
const DROP_BELOW: c_uint = 30;
/// How full the encoder imagines the link's buffer, in ms: whole, at first, and as aimed at.
const BUFFER: (c_uint, c_uint, c_uint) = (1000, 500, 600);
/// How far the rate may miss its aim, in percent.
const UNDERSHOOT: c_uint = 100;
const OVERSHOOT: c_uint = 15;
/// The finest and the coarsest steps, of a camera and of a screen: what stands still is sharp enough (SSIM 0.99 for a page of
/// text) long before the finest, and whatever comes next finds the link free.
const CAMERA: (c_uint, c_uint) = (2, 56);
const SCREEN: (c_uint, c_uint) = (12, 63);
/// A keyframe may take so many percent of what a picture takes on average.
const INTRA_PERCENT: c_int = 450;
/// Shares of the bitrate up to each layer, in percent.
const SHARES_OF_TWO: &[c_uint] = &[60, 100];
const SHARES_OF_THREE: &[c_uint] = &[40, 60, 100];
/// libvpx counts in kbit/s and rejects 0.
const LEAST_KBPS: u64 = 10;
const MOST_KBPS: u64 = 100_000;

/// A libvpx encoder.
pub(super) struct Encoder {
    context: Box<Context>,
    codec: Codec,
}

// SAFETY: a context is bound to no thread, and `&mut self` keeps callers apart.
unsafe impl Send for Encoder {}

impl Encoder {
    pub(super) fn new(config: &EncoderConfig) -> Result<Self, VpxError> {
        let settings = settings(config)?;
        let mut context = Box::new(MaybeUninit::<Context>::zeroed());
        // SAFETY: both pointers are valid during the call; libvpx fills the context and copies the settings.
        let status = unsafe {
            vpx::vpx_codec_enc_init_ver(
                context.as_mut_ptr(),
                encoder_of(config.codec),
                &settings,
                0,
                vpx::VPX_ENCODER_ABI_VERSION as c_int,
            )
        };
        check(status)?;
        // SAFETY: the call above succeeded, so the context is whole.
        let context = unsafe { Box::from_raw(Box::into_raw(context).cast::<Context>()) };
        let mut encoder = Self { context, codec: config.codec };
        encoder.controls(config)?;
        Ok(encoder)
    }

    /// Changes what may change while encoding: the bitrate.
    pub(super) fn configure(&mut self, config: &EncoderConfig) -> Result<(), VpxError> {
        let settings = settings(config)?;
        // SAFETY: the context is alive, and the settings are copied.
        check(unsafe { vpx::vpx_codec_enc_config_set(&mut *self.context, &settings) })
    }

    /// Times in ticks of 1/90000 s; `at` must grow.
    pub(super) fn encode(
        &mut self,
        frame: &I420,
        at: i64,
        lasts: i64,
        wish: Wish,
        place: &Place,
    ) -> Result<Option<(Vec<u8>, Kind)>, VpxError> {
        if place.buffers != Buffers::Free {
            self.control(control::VP8E_SET_TEMPORAL_LAYER_ID, c_int::from(place.layer.id))?;
        }
        let flags = match wish {
            Wish::Keyframe => vpx::VPX_EFLAG_FORCE_KF,
            Wish::Any => flags(place.buffers),
        };
        let image = wrap(frame)?;
        // SAFETY: the context is alive; the image and the pixels it points to outlive the call, which only reads them
        // and copies what it keeps.
        let status = unsafe {
            vpx::vpx_codec_encode(
                &mut *self.context,
                &image,
                at,
                lasts as c_ulong,
                flags as c_long,
                c_ulong::from(vpx::VPX_DL_REALTIME),
            )
        };
        check(status)?;
        Ok(self.output())
    }

    fn output(&mut self) -> Option<(Vec<u8>, Kind)> {
        let mut iterator: vpx::vpx_codec_iter_t = ptr::null();
        let mut output: Option<(Vec<u8>, Kind)> = None;
        loop {
            // SAFETY: the context is alive and the iterator began as null. The packet is valid until the next call.
            let packet = unsafe { vpx::vpx_codec_get_cx_data(&mut *self.context, &mut iterator).as_ref() };
            let Some(packet) = packet else { return output };
            if packet.kind != vpx::vpx_codec_cx_pkt_kind::VPX_CODEC_CX_FRAME_PKT {
                continue;
            }
            // SAFETY: this kind of packet holds a frame, whose buffer has `sz` bytes until the next call.
            let (data, flags) = unsafe {
                let frame = packet.data.frame;
                (slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz as usize), frame.flags)
            };
            let kind = if flags & vpx::VPX_FRAME_IS_KEY == 0 { Kind::Delta } else { Kind::Key };
            match &mut output {
                None => output = Some((data.to_vec(), kind)),
                Some((whole, _)) => whole.extend_from_slice(data),
            }
        }
    }

    fn controls(&mut self, config: &EncoderConfig) -> Result<(), VpxError> {
        let screen = c_int::from(config.content == Content::Screen);
        self.control(control::VP8E_SET_MAX_INTRA_BITRATE_PCT, INTRA_PERCENT)?;
        match self.codec {
            Codec::Vp8 => {
                let large = config.content == Content::Camera && config.size.pixels() >= LARGE;
                let used = if large { VP8_CPU_USED.1 } else { VP8_CPU_USED.0 };
                self.control(control::VP8E_SET_CPUUSED, used)?;
                self.control(control::VP8E_SET_SCREEN_CONTENT_MODE, screen)?;
                self.control(control::VP8E_SET_STATIC_THRESHOLD, 1)
            }
            Codec::Vp9 => {
                self.control(control::VP8E_SET_CPUUSED, VP9_CPU_USED)?;
                self.control(control::VP9E_SET_TUNE_CONTENT, screen)?;
                // Refreshes parts of the picture in turn, so that detail comes without bursts.
                self.control(control::VP9E_SET_AQ_MODE, 3)?;
                self.control(control::VP8E_SET_STATIC_THRESHOLD, 1)
            }
        }
    }

    fn control(&mut self, which: control, value: c_int) -> Result<(), VpxError> {
        // SAFETY: the context is alive, and each control used here takes one int.
        check(unsafe { vpx::vpx_codec_control_(&mut *self.context, which as c_int, value) })
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        destroy(&mut self.context);
    }
}

/// A libvpx decoder.
pub(super) struct Decoder {
    context: Box<Context>,
}

// SAFETY: a context is bound to no thread, and `&mut self` keeps callers apart.
unsafe impl Send for Decoder {}

impl Decoder {
    pub(super) fn new(codec: Codec) -> Result<Self, VpxError> {
        let settings = vpx::vpx_codec_dec_cfg_t { threads: THREADS, w: 0, h: 0 };
        let mut context = Box::new(MaybeUninit::<Context>::zeroed());
        // SAFETY: these take no argument and return a pointer to static data; the other two pointers are valid during
        // the call, in which libvpx fills the context and copies the settings.
        let status = unsafe {
            let interface = match codec {
                Codec::Vp8 => vpx::vpx_codec_vp8_dx(),
                Codec::Vp9 => vpx::vpx_codec_vp9_dx(),
            };
            let version = vpx::VPX_DECODER_ABI_VERSION as c_int;
            vpx::vpx_codec_dec_init_ver(context.as_mut_ptr(), interface, &settings, 0, version)
        };
        check(status)?;
        // SAFETY: the call above succeeded, so the context is whole.
        let context = unsafe { Box::from_raw(Box::into_raw(context).cast::<Context>()) };
        Ok(Self { context })
    }

    pub(super) fn decode(&mut self, data: &[u8], taken: Taken) -> Result<Option<I420>, VpxError> {
        let Ok(length) = c_uint::try_from(data.len()) else { return Err(VpxError::TooLarge("4 GB".into())) };
        // SAFETY: the context is alive, and libvpx reads `length` bytes of `data` during the call only.
        let status =
            unsafe { vpx::vpx_codec_decode(&mut *self.context, data.as_ptr(), length, ptr::null_mut(), 0) };
        self.judge(status)?;
        let mut corrupted: c_int = 0;
        // SAFETY: the context is alive, and this control writes one int.
        let status = unsafe {
            let which = vpx::vp8_dec_control_id::VP8D_GET_FRAME_CORRUPTED as c_int;
            vpx::vpx_codec_control_(&mut *self.context, which, &mut corrupted as *mut c_int)
        };
        self.judge(status)?;
        if corrupted != 0 {
            return Err(VpxError::Corrupt("bits are missing".to_owned()));
        }
        self.latest(taken)
    }

    /// The last picture that came out.
    fn latest(&mut self, taken: Taken) -> Result<Option<I420>, VpxError> {
        let mut iterator: vpx::vpx_codec_iter_t = ptr::null();
        let mut frame = None;
        loop {
            // SAFETY: the context is alive and the iterator began as null. The image is valid until the next decoding.
            let image = unsafe { vpx::vpx_codec_get_frame(&mut *self.context, &mut iterator).as_ref() };
            let Some(image) = image else { return Ok(frame) };
            frame = Some(copy(image, taken)?);
        }
    }

    fn judge(&self, status: Status) -> Result<(), VpxError> {
        match check(status) {
            Ok(()) => Ok(()),
            Err(error) => Err(match status {
                Status::VPX_CODEC_MEM_ERROR | Status::VPX_CODEC_INVALID_PARAM => error,
                Status::VPX_CODEC_UNSUP_FEATURE => VpxError::Unsupported,
                _ => VpxError::Corrupt(reason(status)),
            }),
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        destroy(&mut self.context);
    }
}

fn destroy(context: &mut Context) {
    // SAFETY: the context was made by an init function and is destroyed only here, when its owner ends.
    let status = unsafe { vpx::vpx_codec_destroy(context) };
    if let Err(error) = check(status) {
        tracing::debug!(%error, "a codec did not end well");
    }
}

fn encoder_of(codec: Codec) -> *mut vpx::vpx_codec_iface_t {
    // SAFETY: these take no argument and return a pointer to static data.
    unsafe {
        match codec {
            Codec::Vp8 => vpx::vpx_codec_vp8_cx(),
            Codec::Vp9 => vpx::vpx_codec_vp9_cx(),
        }
    }
}

fn settings(config: &EncoderConfig) -> Result<Config, VpxError> {
    let mut settings = MaybeUninit::<Config>::zeroed();
    // SAFETY: libvpx fills the settings behind the pointer. They are read only after it said that it did: zeros alone
    // are no value of the enums inside.
    let mut settings = unsafe {
        check(vpx::vpx_codec_enc_config_default(encoder_of(config.codec), settings.as_mut_ptr(), 0))?;
        settings.assume_init()
    };
    let kbps = (config.bitrate.bps() / 1_000).clamp(LEAST_KBPS, MOST_KBPS) as c_uint;
    settings.g_w = config.size.width();
    settings.g_h = config.size.height();
    settings.g_threads = THREADS;
    settings.g_timebase = vpx::vpx_rational { num: 1, den: 90_000 };
    settings.g_error_resilient = vpx::VPX_ERROR_RESILIENT_DEFAULT;
    settings.g_lag_in_frames = 0;
    settings.g_pass = vpx::vpx_enc_pass::VPX_RC_ONE_PASS;
    settings.rc_end_usage = vpx::vpx_rc_mode::VPX_CBR;
    settings.rc_target_bitrate = kbps;
    settings.rc_dropframe_thresh = match config.content {
        Content::Camera => DROP_BELOW,
        Content::Screen => 0,
    };
    settings.rc_resize_allowed = 0;
    settings.rc_undershoot_pct = UNDERSHOOT;
    settings.rc_overshoot_pct = OVERSHOOT;
    (settings.rc_buf_sz, settings.rc_buf_initial_sz, settings.rc_buf_optimal_sz) = BUFFER;
    (settings.rc_min_quantizer, settings.rc_max_quantizer) = match config.content {
        Content::Camera => CAMERA,
        Content::Screen => SCREEN,
    };
    // Keyframes come when they are asked for.
    settings.kf_mode = vpx::vpx_kf_mode::VPX_KF_DISABLED;
    let (shares, pattern, rates): (&[c_uint], &[c_uint], &[c_uint]) = match config.layers {
        Layers::One => return Ok(settings),
        Layers::Two => (SHARES_OF_TWO, &[0, 1], &[2, 1]),
        Layers::Three => (SHARES_OF_THREE, &[0, 2, 1, 2], &[4, 2, 1]),
    };
    settings.ts_number_layers = shares.len() as c_uint;
    settings.ts_periodicity = pattern.len() as c_uint;
    settings.ts_layer_id[..pattern.len()].copy_from_slice(pattern);
    settings.ts_rate_decimator[..rates.len()].copy_from_slice(rates);
    for (target, share) in settings.ts_target_bitrate.iter_mut().zip(shares) {
        *target = kbps * share / 100;
    }
    Ok(settings)
}

/// What a picture of VP8 may read and write, as libvpx spells it; the alternate buffer is never used.
fn flags(buffers: Buffers) -> u32 {
    const ALTERNATE: u32 = vpx::VP8_EFLAG_NO_REF_ARF | vpx::VP8_EFLAG_NO_UPD_ARF;
    // Upper layers leave the probabilities alone, for the lower ones are decoded without them.
    const KEEP: u32 = ALTERNATE | vpx::VP8_EFLAG_NO_UPD_LAST | vpx::VP8_EFLAG_NO_UPD_ENTROPY;
    match buffers {
        Buffers::Free => 0,
        Buffers::Base => ALTERNATE | vpx::VP8_EFLAG_NO_REF_GF | vpx::VP8_EFLAG_NO_UPD_GF,
        Buffers::Middle => KEEP | vpx::VP8_EFLAG_NO_REF_GF,
        Buffers::Top => KEEP | vpx::VP8_EFLAG_NO_REF_GF | vpx::VP8_EFLAG_NO_UPD_GF,
        Buffers::TopOfMiddle => KEEP | vpx::VP8_EFLAG_NO_UPD_GF,
    }
}

/// An image that points to the pixels of `frame`, to be read only while `frame` is borrowed.
fn wrap(frame: &I420) -> Result<vpx::vpx_image_t, VpxError> {
    let mut image = MaybeUninit::<vpx::vpx_image_t>::zeroed();
    let (width, height) = (frame.size().width(), frame.size().height());
    let format = vpx::vpx_img_fmt::VPX_IMG_FMT_I420;
    let first = frame.data().as_ptr().cast_mut();
    // SAFETY: libvpx fills the image; of the pixels it keeps the pointer only.
    let mut image = unsafe {
        if vpx::vpx_img_wrap(image.as_mut_ptr(), format, width, height, 1, first).is_null() {
            return Err(VpxError::Library("a picture could not be wrapped".to_owned()));
        }
        image.assume_init()
    };
    // For odd sides libvpx reckons other places and strides than ours.
    for (at, plane) in frame.planes().iter().enumerate() {
        image.planes[at] = plane.data.as_ptr().cast_mut();
        image.stride[at] = plane.stride as c_int;
    }
    Ok(image)
}

fn copy(image: &vpx::vpx_image_t, taken: Taken) -> Result<I420, VpxError> {
    if image.fmt != vpx::vpx_img_fmt::VPX_IMG_FMT_I420 || image.bit_depth != 8 {
        return Err(VpxError::Unsupported);
    }
    let size = Size::new(image.d_w, image.d_h).map_err(|error| VpxError::TooLarge(error.to_string()))?;
    let heights = [size, size.chroma(), size.chroma()].map(|plane| (plane.width(), plane.height()));
    let mut planes = [Plane { data: &[], stride: 0 }; 3];
    for (at, (width, height)) in heights.into_iter().enumerate() {
        let stride = usize::try_from(image.stride[at]).map_err(|_| VpxError::Unsupported)?;
        let length = stride * (height as usize - 1) + width as usize;
        if image.planes[at].is_null() || stride < width as usize {
            return Err(VpxError::Unsupported);
        }
        // SAFETY: an image of I420 has planes of so many rows, `stride` bytes apart, until the next decoding; they are
        // copied before this function returns.
        planes[at] = Plane { data: unsafe { slice::from_raw_parts(image.planes[at], length) }, stride };
    }
    I420::from_planes(size, taken, planes).map_err(|error| VpxError::Library(error.to_string()))
}

fn check(status: Status) -> Result<(), VpxError> {
    if status == Status::VPX_CODEC_OK { Ok(()) } else { Err(VpxError::Library(reason(status))) }
}

fn reason(status: Status) -> String {
    // SAFETY: the text is static and ends with a zero.
    unsafe { CStr::from_ptr(vpx::vpx_codec_err_to_string(status)) }.to_string_lossy().into_owned()
}
