//! Real microphones and loudspeakers through `cpal`: PulseAudio where it runs (and is shown a cookie), ALSA otherwise.
//!
//! PulseAudio converts to 48 kHz mono `f32` for us, so we ask for exactly that, and always for a fixed
//! buffer: its default buffers two seconds. ALSA is asked for its default format; we mix and convert.
//! Sound servers deliver in buffers of any size, hence the rings.

use std::sync::Arc;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, ErrorKind, FromSample, Host, HostId, Sample, SampleFormat, SizedSample, Stream,
    StreamConfig,
};
use rtrb::{Consumer, Producer};

use super::host::{self, classify, kept_out};
use super::ring::{CaptureCallback, PlaybackCallback, Pulse, ring};
use super::{AudioSink, AudioSource, DeviceError, DeviceInfo, Direction};
use crate::frame::{BLOCK, Block, SAMPLE_RATE};
use crate::resample::Stream48k;

/// What PulseAudio hands over at once: 20 ms.
const BUFFER: u32 = 960;
/// Samples between the microphone and the media thread: half a second.
const CAPTURE_RING: usize = 24_000;
/// Samples between the media thread and the loudspeaker: half a second.
const PLAYBACK_RING: usize = 24_000;
/// More captured sound than this beyond one device buffer is old: 60 ms. It is dropped.
const MAX_CAPTURE_BACKLOG: usize = 2880;

/// All microphones and loudspeakers of this machine that somebody would choose.
pub fn list() -> Result<Vec<DeviceInfo>, DeviceError> {
    let mut found = Vec::new();
    for direction in [Direction::Capture, Direction::Playback] {
        let host = host::to_look(direction)?;
        let default = default_device(&host, direction).and_then(|device| id_of(&device));
        for device in devices(&host, direction)? {
            let Some(id) = id_of(&device).filter(|id| is_to_be_chosen(host.id(), id)) else { continue };
            let name = device.description().map_or_else(|_| id.clone(), |told| told.name().to_owned());
            let is_default = default.as_ref() == Some(&id);
            found.push(DeviceInfo { id, name, direction, is_default });
        }
    }
    found.sort();
    Ok(found)
}

/// A microphone that fills a ring.
pub(crate) struct Microphone {
    stream: Stream,
    ring: Consumer<f32>,
    pulse: Arc<Pulse>,
    convert: Option<Stream48k>,
    ready: Vec<f32>,
    /// Samples to come that are of before.
    stale: usize,
    dropped: u64,
}

impl Microphone {
    /// Opens the one that is meant; the default one for a source that is none.
    pub(crate) fn of(source: &AudioSource) -> Result<Self, DeviceError> {
        let opened = match source {
            AudioSource::Device(id) => Self::open(Some(id)),
            AudioSource::Preferred(id) => Self::open(Some(id)).or_else(|_| Self::open(None)),
            AudioSource::Default | AudioSource::File(_) | AudioSource::Tone(_) | AudioSource::Silence => {
                Self::open(None)
            }
        };
        opened.map_err(|error| kept_out(Direction::Capture).unwrap_or(error))
    }

    /// Opens the microphone with this id, or the default one.
    fn open(id: Option<&str>) -> Result<Self, DeviceError> {
        let direction = Direction::Capture;
        let device = find(id, direction)?;
        let (config, format) = settings(&device, direction)?;
        let pulse = Arc::new(Pulse::default());
        let (producer, consumer) = ring(CAPTURE_RING);
        let callback = CaptureCallback::new(producer, config.channels.into(), Arc::clone(&pulse));
        let stream = match format {
            SampleFormat::F32 => capture_stream::<f32>(&device, config, callback, &pulse),
            SampleFormat::I16 => capture_stream::<i16>(&device, config, callback, &pulse),
            SampleFormat::I32 => capture_stream::<i32>(&device, config, callback, &pulse),
            other => return Err(unknown_format(direction, other)),
        };
        let stream = stream.map_err(|error| classify(direction, &error))?;
        let convert = converter(config.sample_rate, direction, Stream48k::from_rate)?;
        Ok(Self { stream, ring: consumer, pulse, convert, ready: Vec::new(), stale: 0, dropped: 0 })
    }

    /// Sound begins to flow.
    pub(crate) fn start(&self) -> Result<(), DeviceError> {
        self.stream.play().map_err(|error| classify(Direction::Capture, &error))
    }

    /// Takes the next block if the device has captured one.
    pub(crate) fn read(&mut self, out: &mut Block) -> bool {
        self.take_from_ring();
        let stale = self.stale.min(self.ready.len());
        self.ready.drain(..stale);
        self.stale -= stale;
        let limit = MAX_CAPTURE_BACKLOG + self.pulse.largest().max(BUFFER as usize);
        if self.ready.len() > limit {
            let excess = self.ready.len() - BLOCK;
            self.dropped += excess as u64;
            self.ready.drain(..excess);
        }
        if self.ready.len() < BLOCK {
            return false;
        }
        out.copy_from_slice(&self.ready[..BLOCK]);
        self.ready.drain(..BLOCK);
        true
    }

    /// Gives nothing of what was captured until now, also what the device has not handed over yet.
    pub(crate) fn forget(&mut self) {
        self.take_from_ring();
        self.ready.clear();
        self.stale = self.pulse.largest();
    }

    /// What the callback tells.
    pub(crate) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Samples dropped because they were captured too long ago.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn take_from_ring(&mut self) {
        let Ok(chunk) = self.ring.read_chunk(self.ring.slots()) else { return };
        let (first, second) = chunk.as_slices();
        for part in [first, second] {
            match &mut self.convert {
                None => self.ready.extend_from_slice(part),
                Some(convert) => self.ready.extend_from_slice(convert.push(part)),
            }
        }
        chunk.commit_all();
    }
}

/// A loudspeaker that empties a ring.
pub(crate) struct Loudspeaker {
    stream: Stream,
    ring: Producer<f32>,
    pulse: Arc<Pulse>,
    convert: Option<Stream48k>,
}

impl Loudspeaker {
    /// Opens the one that is meant; the default one for a sink that is none.
    pub(crate) fn of(sink: &AudioSink) -> Result<Self, DeviceError> {
        let opened = match sink {
            AudioSink::Device(id) => Self::open(Some(id)),
            AudioSink::Preferred(id) => Self::open(Some(id)).or_else(|_| Self::open(None)),
            AudioSink::Default | AudioSink::File(_) | AudioSink::Null => Self::open(None),
        };
        opened.map_err(|error| kept_out(Direction::Playback).unwrap_or(error))
    }

    /// Opens the loudspeaker with this id, or the default one.
    fn open(id: Option<&str>) -> Result<Self, DeviceError> {
        let direction = Direction::Playback;
        let device = find(id, direction)?;
        let (config, format) = settings(&device, direction)?;
        let pulse = Arc::new(Pulse::default());
        let (producer, consumer) = ring(PLAYBACK_RING);
        let callback = PlaybackCallback::new(consumer, config.channels.into(), Arc::clone(&pulse));
        let stream = match format {
            SampleFormat::F32 => playback_stream::<f32>(&device, config, callback, &pulse),
            SampleFormat::I16 => playback_stream::<i16>(&device, config, callback, &pulse),
            SampleFormat::I32 => playback_stream::<i32>(&device, config, callback, &pulse),
            other => return Err(unknown_format(direction, other)),
        };
        let stream = stream.map_err(|error| classify(direction, &error))?;
        let convert = converter(config.sample_rate, direction, Stream48k::to_rate)?;
        Ok(Self { stream, ring: producer, pulse, convert })
    }

    /// The device begins to ask for sound.
    pub(crate) fn start(&self) -> Result<(), DeviceError> {
        self.stream.play().map_err(|error| classify(Direction::Playback, &error))
    }

    /// Whether the device will run dry unless it gets another block soon.
    pub(crate) fn wants_more(&self) -> bool {
        let waiting = PLAYBACK_RING - self.ring.slots();
        // One request of the device, plus what the media thread may be late by.
        waiting < self.pulse.largest().clamp(BUFFER as usize, PLAYBACK_RING / 2) + BLOCK
    }

    /// Samples that wait to be played.
    pub(crate) fn waiting(&self) -> usize {
        PLAYBACK_RING - self.ring.slots()
    }

    /// Gives the next block; what does not fit is dropped, which [`Self::wants_more`] prevents.
    pub(crate) fn write(&mut self, block: &Block) {
        match &mut self.convert {
            None => drop(self.ring.push_partial_slice(block)),
            Some(convert) => drop(self.ring.push_partial_slice(convert.push(block))),
        }
    }

    /// What the callback tells.
    pub(crate) fn pulse(&self) -> &Pulse {
        &self.pulse
    }
}

fn capture_stream<T>(
    device: &Device,
    config: StreamConfig,
    mut callback: CaptureCallback,
    pulse: &Arc<Pulse>,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let broken = Arc::clone(pulse);
    device.build_input_stream::<T, _, _>(
        config,
        move |captured, _| callback.run(captured, f32::from_sample),
        move |error| note(&broken, &error),
        None,
    )
}

fn playback_stream<T>(
    device: &Device,
    config: StreamConfig,
    mut callback: PlaybackCallback,
    pulse: &Arc<Pulse>,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample + FromSample<f32>,
{
    let broken = Arc::clone(pulse);
    device.build_output_stream::<T, _, _>(
        config,
        move |wanted, _| callback.run(wanted, T::from_sample),
        move |error| note(&broken, &error),
        None,
    )
}

/// Runs on the sound system's thread: no log, no allocation. Under- and overruns are counted elsewhere.
fn note(pulse: &Pulse, error: &cpal::Error) {
    match error.kind() {
        ErrorKind::StreamInvalidated | ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => {
            pulse.break_down();
        }
        _ => {}
    }
}

/// The device with this id, or the default one. What is not there is not looked for over a connection that would stay.
fn find(id: Option<&str>, direction: Direction) -> Result<Device, DeviceError> {
    let seen = host::to_look(direction)?;
    look_for(&seen, id, direction)?;
    look_for(&host::to_open(&seen, direction)?, id, direction)
}

fn look_for(host: &Host, id: Option<&str>, direction: Direction) -> Result<Device, DeviceError> {
    let Some(id) = id else {
        return default_device(host, direction).ok_or(DeviceError::None { direction });
    };
    let mut available = Vec::new();
    for device in devices(host, direction)? {
        match id_of(&device) {
            Some(this) if this == id => return Ok(device),
            Some(this) => available.push(this),
            None => {}
        }
    }
    Err(DeviceError::NotFound { direction, id: id.to_owned(), available })
}

/// ALSA lists its plugins as well (`null`, `lavrate`, `upmix` ...), and each card a dozen times. What is left are the system's
/// choice, and each device of a card once, in the way that converts whatever it is given. The others can be named all the same.
fn is_to_be_chosen(host: HostId, id: &str) -> bool {
    host != HostId::Alsa || id == "default" || id.starts_with("plughw:")
}

fn default_device(host: &Host, direction: Direction) -> Option<Device> {
    match direction {
        Direction::Capture => host.default_input_device(),
        Direction::Playback => host.default_output_device(),
    }
}

fn devices(host: &Host, direction: Direction) -> Result<Vec<Device>, DeviceError> {
    let devices = match direction {
        Direction::Capture => host.input_devices().map(Iterator::collect),
        Direction::Playback => host.output_devices().map(Iterator::collect),
    };
    devices.map_err(|error| classify(direction, &error))
}

fn id_of(device: &Device) -> Option<String> {
    device.id().ok().map(|id| id.id().to_owned())
}

fn settings(device: &Device, direction: Direction) -> Result<(StreamConfig, SampleFormat), DeviceError> {
    if device.id().is_ok_and(|id| id.host() == HostId::PulseAudio) {
        let buffer_size = BufferSize::Fixed(BUFFER);
        return Ok((StreamConfig { channels: 1, sample_rate: SAMPLE_RATE, buffer_size }, SampleFormat::F32));
    }
    let default = match direction {
        Direction::Capture => device.default_input_config(),
        Direction::Playback => device.default_output_config(),
    };
    let default = default.map_err(|error| classify(direction, &error))?;
    Ok((default.config(), default.sample_format()))
}

fn converter(
    rate: u32,
    direction: Direction,
    make: impl Fn(u32) -> Result<Stream48k, crate::resample::ResampleError>,
) -> Result<Option<Stream48k>, DeviceError> {
    if rate == SAMPLE_RATE {
        return Ok(None);
    }
    make(rate).map(Some).map_err(|error| DeviceError::Unsupported { direction, why: error.to_string() })
}

fn unknown_format(direction: Direction, format: SampleFormat) -> DeviceError {
    DeviceError::Unsupported { direction, why: format!("it only knows samples of type {format}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_alsa_lists_people_are_shown_devices_and_no_plugins() {
        let shown = |id| is_to_be_chosen(HostId::Alsa, id);
        assert!(["default", "plughw:CARD=PCH,DEV=0"].into_iter().all(shown));
        for id in
            ["null", "lavrate", "upmix", "pulse", "hw:CARD=PCH,DEV=0", "sysdefault:CARD=PCH", "dmix:CARD=PCH"]
        {
            assert!(!shown(id), "{id}");
        }
        assert!(is_to_be_chosen(HostId::PulseAudio, "alsa_input.pci-0000_00_1f.3.analog-stereo"));
    }
}
