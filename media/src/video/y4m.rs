//! YUV4MPEG2 ("Y4M") files: pictures one after another, without compression, as `ffmpeg` writes them.
//!
//! ```text
//! YUV4MPEG2 W320 H180 F30:1 Ip A1:1 C420jpeg\n     one header line
//! FRAME\n  <Y bytes> <U bytes> <V bytes>           each frame: a line, then the planes
//! ```
//! Read: 4:2:0 with 8 bits in its four spellings (`420`, `420jpeg`, `420mpeg2`, `420paldv`; they differ in where the
//! colours sit, which is passed over), progressive or unsaid. Everything else is refused with the reason.

use std::io::{self, BufRead, Read as _, Seek, SeekFrom, Write};
use std::time::Duration;

use super::frame::{FrameError, I420, Size, Taken};

/// The longest line that is read, in bytes.
pub const MAX_LINE: usize = 1024;

/// Pictures per second at most.
const MAX_RATE: u64 = 1000;

const MAGIC: &str = "YUV4MPEG2";
const FRAME: &str = "FRAME";

/// Which line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The first of the file.
    Header,
    /// The one above this frame; frames count from 0.
    Frame(u64),
}

impl std::fmt::Display for Line {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header => write!(out, "the header"),
            Self::Frame(number) => write!(out, "frame {number}"),
        }
    }
}

/// Why a file is not read on; the file is to blame, except for `Io`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Y4mError {
    /// The line does not begin as it must.
    #[error("{0} does not begin as in a Y4M file")]
    Magic(Line),
    /// No end of line within [`MAX_LINE`].
    #[error("the line of {0} is too long or not ended")]
    LongLine(Line),
    /// A parameter that means nothing.
    #[error("the header says {0:?}, which means nothing")]
    Parameter(String),
    /// A parameter that must be there is not.
    #[error("the header lacks the parameter {0}")]
    Missing(char),
    /// Another layout of pixels.
    #[error("pixels of kind {0:?} are not supported, only 4:2:0 with 8 bits")]
    Colour(String),
    /// Half pictures.
    #[error("interlaced pictures are not supported")]
    Interlaced,
    /// The pictures have an impossible size.
    #[error(transparent)]
    Size(#[from] FrameError),
    /// The file ends inside this frame.
    #[error("the file ends inside frame {0}")]
    Truncated(u64),
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Pictures per second, as a fraction: 30000/1001 is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRate {
    frames: u32,
    seconds: u32,
}

impl FrameRate {
    /// So many `frames` in so many `seconds`; nothing unless both are positive and at most 1,000 come in a second.
    pub fn new(frames: u32, seconds: u32) -> Option<Self> {
        let possible =
            frames > 0 && seconds > 0 && u64::from(frames) <= MAX_RATE.saturating_mul(u64::from(seconds));
        possible.then_some(Self { frames, seconds })
    }

    /// How long one picture is shown.
    pub fn interval(self) -> Duration {
        Duration::from_nanos(1_000_000_000 * u64::from(self.seconds) / u64::from(self.frames))
    }
}

/// Reads pictures from a file, one at a time.
#[derive(Debug)]
pub struct Y4mReader<R> {
    input: R,
    size: Size,
    rate: FrameRate,
    frames: u64,
}

impl<R: BufRead> Y4mReader<R> {
    /// Reads the header.
    pub fn open(mut input: R) -> Result<Self, Y4mError> {
        let line = line(&mut input, Line::Header)?.ok_or(Y4mError::Magic(Line::Header))?;
        let (size, rate) = header(&line)?;
        Ok(Self { input, size, rate, frames: 0 })
    }

    /// Of every picture.
    pub fn size(&self) -> Size {
        self.size
    }

    /// As the header says.
    pub fn rate(&self) -> FrameRate {
        self.rate
    }

    /// The next picture; none at the end of the file. `taken` is when it counts as taken.
    pub fn next_frame(&mut self, taken: Taken) -> Result<Option<I420>, Y4mError> {
        let here = Line::Frame(self.frames);
        let Some(line) = line(&mut self.input, here)? else { return Ok(None) };
        // Parameters of a single frame may follow; they say nothing about 4:2:0 progressive pictures.
        if line.split(' ').next() != Some(FRAME) {
            return Err(Y4mError::Magic(here));
        }
        // Grows with what is there, so that a header alone cannot claim memory.
        let mut data = Vec::new();
        self.input.by_ref().take(self.size.bytes() as u64).read_to_end(&mut data)?;
        if data.len() < self.size.bytes() {
            return Err(Y4mError::Truncated(self.frames));
        }
        self.frames += 1;
        Ok(Some(I420::packed(self.size, taken, data)?))
    }
}

impl<R: BufRead + Seek> Y4mReader<R> {
    /// As [`Y4mReader::next_frame`], beginning again after the last picture; none only when the file has none.
    pub fn next_looped(&mut self, taken: Taken) -> Result<Option<I420>, Y4mError> {
        if let Some(frame) = self.next_frame(taken)? {
            return Ok(Some(frame));
        }
        self.input.seek(SeekFrom::Start(0))?;
        line(&mut self.input, Line::Header)?;
        self.frames = 0;
        self.next_frame(taken)
    }
}

/// Writes pictures of one size.
#[derive(Debug)]
pub struct Y4mWriter<W> {
    output: W,
    size: Size,
}

impl<W: Write> Y4mWriter<W> {
    /// Writes the header.
    pub fn create(mut output: W, size: Size, rate: FrameRate) -> Result<Self, Y4mError> {
        let (width, height) = (size.width(), size.height());
        writeln!(output, "{MAGIC} W{width} H{height} F{}:{} Ip A1:1 C420jpeg", rate.frames, rate.seconds)?;
        Ok(Self { output, size })
    }

    /// Writes one picture, scaled when it has another size.
    pub fn write(&mut self, frame: &I420) -> Result<(), Y4mError> {
        self.output.write_all(FRAME.as_bytes())?;
        self.output.write_all(b"\n")?;
        self.output.write_all(frame.scaled(self.size).data())?;
        Ok(())
    }

    /// Hands over what was not yet written and gives the file back.
    pub fn finish(mut self) -> Result<W, Y4mError> {
        self.output.flush()?;
        Ok(self.output)
    }
}

/// One line without its end; none at the end of the file.
fn line(input: &mut impl BufRead, which: Line) -> Result<Option<String>, Y4mError> {
    let mut line = Vec::new();
    input.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => String::from_utf8(line).map(Some).map_err(|_| Y4mError::Magic(which)),
        Some(_) => Err(Y4mError::LongLine(which)),
    }
}

fn header(line: &str) -> Result<(Size, FrameRate), Y4mError> {
    let mut words = line.split(' ');
    if words.next() != Some(MAGIC) {
        return Err(Y4mError::Magic(Line::Header));
    }
    let (mut width, mut height, mut rate) = (None, None, None);
    for word in words.filter(|word| !word.is_empty()) {
        let mut letters = word.chars();
        let letter = letters.next();
        let value = letters.as_str();
        let meaningless = || Y4mError::Parameter(word.to_owned());
        match letter {
            Some('W') => width = Some(value.parse().map_err(|_| meaningless())?),
            Some('H') => height = Some(value.parse().map_err(|_| meaningless())?),
            Some('F') => rate = Some(fraction(value).ok_or_else(meaningless)?),
            Some('I') => interlacing(value).ok_or_else(meaningless)??,
            Some('C') => colour(value)?,
            // Shape of a pixel, and comments.
            Some('A' | 'X') => {}
            _ => return Err(meaningless()),
        }
    }
    let size = Size::new(width.ok_or(Y4mError::Missing('W'))?, height.ok_or(Y4mError::Missing('H'))?)?;
    Ok((size, rate.ok_or(Y4mError::Missing('F'))?))
}

fn fraction(value: &str) -> Option<FrameRate> {
    let (frames, seconds) = value.split_once(':')?;
    FrameRate::new(frames.parse().ok()?, seconds.parse().ok()?)
}

fn interlacing(value: &str) -> Option<Result<(), Y4mError>> {
    match value {
        "p" | "?" => Some(Ok(())),
        "t" | "b" | "m" => Some(Err(Y4mError::Interlaced)),
        _ => None,
    }
}

fn colour(value: &str) -> Result<(), Y4mError> {
    match value {
        "420" | "420jpeg" | "420mpeg2" | "420paldv" => Ok(()),
        other => Err(Y4mError::Colour(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const ANY: Taken = Taken::Media(0);

    fn open(text: &[u8]) -> Result<Y4mReader<Cursor<Vec<u8>>>, Y4mError> {
        Y4mReader::open(Cursor::new(text.to_vec()))
    }

    fn refusal(text: &str) -> String {
        open(text.as_bytes()).unwrap_err().to_string()
    }

    fn three_frames() -> Vec<u8> {
        let size = Size::new(5, 3).unwrap();
        let mut writer = Y4mWriter::create(Vec::new(), size, FrameRate::new(30, 1).unwrap()).unwrap();
        (1..=3).for_each(|shade| writer.write(&I420::plain(size, ANY, [shade; 3])).unwrap());
        writer.finish().unwrap()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut reader = open(&three_frames()).unwrap();
        assert_eq!(reader.size(), Size::new(5, 3).unwrap());
        assert_eq!(reader.rate().interval(), Duration::from_nanos(33_333_333));
        for shade in 1..=3 {
            assert_eq!(reader.next_frame(ANY).unwrap().unwrap().data(), [shade; 27]);
        }
        assert!(reader.next_frame(ANY).unwrap().is_none());
    }

    #[test]
    fn a_looped_file_begins_again() {
        let mut reader = open(&three_frames()).unwrap();
        let shades: Vec<u8> = (0..7).map(|_| reader.next_looped(ANY).unwrap().unwrap().data()[0]).collect();
        assert_eq!(shades, [1, 2, 3, 1, 2, 3, 1]);
        let mut empty = open(b"YUV4MPEG2 W2 H2 F1:1\n").unwrap();
        assert!(empty.next_looped(ANY).unwrap().is_none());
    }

    #[test]
    fn every_spelling_of_four_two_zero_is_read() {
        for colour in ["", " C420", " C420jpeg", " C420mpeg2", " C420paldv"] {
            let text = format!("YUV4MPEG2 W2 H2 F30000:1001 Ip A0:0 XCOMMENT{colour}\n");
            assert!(open(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_refusal_says_what_is_wrong() {
        assert_eq!(refusal("RIFF"), "the line of the header is too long or not ended");
        assert_eq!(refusal("RIFF\n"), "the header does not begin as in a Y4M file");
        assert_eq!(refusal("YUV4MPEG2 W2 F1:1\n"), "the header lacks the parameter H");
        assert_eq!(refusal("YUV4MPEG2 Wx\n"), "the header says \"Wx\", which means nothing");
        assert_eq!(refusal("YUV4MPEG2 W2 H2 F0:1\n"), "the header says \"F0:1\", which means nothing");
        assert_eq!(refusal("YUV4MPEG2 W2 H2 F1:1 It\n"), "interlaced pictures are not supported");
        assert!(refusal("YUV4MPEG2 W2 H2 F1:1 C444\n").contains("\"444\""));
        assert!(refusal("YUV4MPEG2 W99999 H2 F1:1\n").contains("99999x2"));
        assert!(refusal(&format!("YUV4MPEG2 X{}\n", "x".repeat(MAX_LINE))).contains("too long"));
    }

    #[test]
    fn a_broken_frame_is_named() {
        let mut whole = three_frames();
        whole.pop();
        let mut reader = open(&whole).unwrap();
        (0..2).for_each(|_| assert!(reader.next_frame(ANY).unwrap().is_some()));
        assert_eq!(reader.next_frame(ANY).unwrap_err().to_string(), "the file ends inside frame 2");
        let mut reader = open(b"YUV4MPEG2 W2 H2 F1:1\nFRAMES\n").unwrap();
        let error = reader.next_frame(ANY).unwrap_err().to_string();
        assert_eq!(error, "frame 0 does not begin as in a Y4M file");
    }
}
