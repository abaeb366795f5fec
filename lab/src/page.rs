//! Pages of text on a real X11 screen that is shared: how soon each is seen at the other end, and how well it can be read.
//!
//! ```text
//!   pages ── X11 ──▶ silbo peer --camera screen ══ link ══▶ silbo peer --display a pipe ──▶ which page is it? how alike?
//! ```
//!
//! A page carries its number in its upper right corner, as five squares that are black or white.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use media::video::frame::{I420, Taken};
use media::video::y4m::Y4mReader;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, CreateGCAux, Gcontext, ImageFormat, Window};
use x11rb::rust_connection::RustConnection;

use crate::desktop::Desktop;
use crate::netns::Segment;
use crate::pair::{End, Pair};
use crate::process::run;

/// What became of pages that were shared.
#[derive(Debug, Clone, Serialize)]
pub struct Read {
    /// Milliseconds from when a page stood on the screen until a picture of it was shown at the other end, in the order
    /// of the pages: odd ones are those before with one more line, even ones are new from top to bottom.
    pub after: Vec<f64>,
    /// How alike page and picture were when it was about to go (SSIM of the luma), the least of all pages.
    pub least_alike: f64,
}

const WIDTH: usize = 1280;
const HEIGHT: usize = 720;
/// Pages shown, beside the first.
const PAGES: usize = 12;
/// How long each stands.
const STANDS: Duration = Duration::from_secs(3);
/// The first stands until the call has found out what the link carries.
const FIRST_STANDS: Duration = Duration::from_secs(10);
/// Squares that tell the number of a page, the lowest bit first, and how large they are.
const MARKS: usize = 5;
const MARK: usize = 24;
/// Lines on a page, and how high they are.
const LINES: usize = 34;
const POINTS: &str = "14";
/// Of Debian's fonts-noto-core.
const FONT: &str = "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf";

/// Shares pages over such a link.
pub fn share(link: &str, segment: &mut Segment, folder: &Path) -> Result<Read> {
    std::fs::create_dir_all(folder)?;
    let pages = Pages::write(folder)?;
    let desktop = Desktop::start(WIDTH as u32, HEIGHT as u32, folder)?;
    let painter = Painter::open(&desktop)?;
    painter.paint(&pages.0[0])?;
    segment.put_link(1, link, &folder.join("journal"))?;

    let pipe = folder.join("shown.y4m");
    run(Command::new("mkfifo").arg(&pipe))?;
    let shown = watch(pipe.clone())?;
    let display = format!("{WIDTH}x{HEIGHT}:{}", pipe.display());
    let pair = Pair::call(
        &End {
            title: "shares",
            place: segment.host(1),
            words: &["--mic", "silence", "--speaker", "null", "--camera", "screen"],
            desktop: Some(&desktop),
            sound: None,
        },
        &End {
            title: "reads",
            place: segment.host(2),
            words: &["--mic", "silence", "--speaker", "null", "--display", &display],
            desktop: None,
            sound: None,
        },
        folder,
    )?;
    std::thread::sleep(FIRST_STANDS);
    let (mut after, mut least_alike) = (Vec::new(), f64::MAX);
    for (number, page) in pages.0.iter().enumerate().skip(1) {
        // What is still to be seen of the page before is of no interest.
        while shown.try_recv().is_ok() {}
        let painted = painter.paint(page)?;
        let (mut first, mut last) = (None, None);
        while painted.elapsed() < STANDS {
            let Ok((at, frame)) = shown.recv_timeout(STANDS) else { break };
            if number_of(&frame)? == number {
                first.get_or_insert(at);
                last = Some(frame);
            }
        }
        let (first, last) = first.zip(last).with_context(|| format!("page {number} was never seen"))?;
        after.push(first.saturating_duration_since(painted).as_secs_f64() * 1000.0);
        least_alike = least_alike.min(alike(&page.luma(), last.planes()[0].data));
    }
    pair.hang_up()?;
    Ok(Read { after, least_alike })
}

/// Text, from black (0) to white (255).
struct Page(Vec<u8>);

impl Page {
    /// As video has it (ITU-R BT.601, limited range).
    fn luma(&self) -> Vec<u8> {
        self.0.iter().map(|grey| (16 + (u32::from(*grey) * 219 + 127) / 255) as u8).collect()
    }
}

struct Pages(Vec<Page>);

impl Pages {
    fn write(folder: &Path) -> Result<Self> {
        let mut random = StdRng::seed_from_u64(3);
        let mut lines = Vec::new();
        let mut pages = Vec::new();
        for number in 0..=PAGES {
            if number % 2 == 0 {
                lines = (1..LINES).map(|_| line(&mut random)).collect();
            } else {
                lines.push(line(&mut random));
            }
            let mut page = Page(set(&lines.join("\n"), folder)?);
            mark(&mut page.0, number);
            pages.push(page);
        }
        Ok(Self(pages))
    }
}

/// A line of words that mean nothing.
fn line(random: &mut StdRng) -> String {
    let mut line = String::new();
    while line.len() < 110 {
        let letters = random.random_range(2..10);
        line.extend((0..letters).map(|_| char::from(random.random_range(b'a'..=b'z'))));
        line.push(' ');
    }
    line
}

fn set(text: &str, folder: &Path) -> Result<Vec<u8>> {
    let file = folder.join("page.gray");
    let size = format!("{WIDTH}x{HEIGHT}");
    let mut convert = Command::new("convert");
    convert.args(["-size", &size, "xc:white", "-font", FONT, "-pointsize", POINTS, "-fill", "black"]);
    convert.args(["-annotate", "+20+30", text, "-depth", "8"]).arg(format!("gray:{}", file.display()));
    run(&mut convert)?;
    let page = std::fs::read(&file)?;
    ensure!(page.len() == WIDTH * HEIGHT, "a page has {} pixels", page.len());
    Ok(page)
}

fn mark(page: &mut [u8], number: usize) {
    for bit in 0..MARKS {
        let grey = if number >> bit & 1 == 1 { 0 } else { 255 };
        for row in page.chunks_mut(WIDTH).take(MARK) {
            row[WIDTH - (bit + 1) * MARK..][..MARK].fill(grey);
        }
    }
}

fn number_of(frame: &I420) -> Result<usize> {
    let size = frame.size();
    ensure!(
        (size.width() as usize, size.height() as usize) == (WIDTH, HEIGHT),
        "the screen came as {} x {}",
        size.width(),
        size.height()
    );
    let luma = frame.planes()[0];
    let black = |bit: usize| {
        let square = luma.data.chunks(luma.stride).take(MARK);
        let sum: usize = square
            .flat_map(|row| &row[WIDTH - (bit + 1) * MARK..][..MARK])
            .map(|luma| usize::from(*luma))
            .sum();
        usize::from(sum / (MARK * MARK) < 128)
    };
    Ok((0..MARKS).map(|bit| black(bit) << bit).sum())
}

/// Reads the pictures out of a pipe and says when each was there.
fn watch(pipe: PathBuf) -> Result<Receiver<(Instant, I420)>> {
    // Two seconds: who reads none for longer is not interested.
    let (sender, shown) = sync_channel(30);
    std::thread::Builder::new().name("watches".into()).spawn(move || {
        // Whoever writes tries beforehand whether it can, and closes the pipe again.
        let mut seen = 0;
        while seen == 0 {
            let Ok(file) = File::open(&pipe) else { return };
            let file = BufReader::with_capacity(WIDTH * HEIGHT, file);
            let Ok(mut reader) = Y4mReader::open(file) else { continue };
            while let Ok(Some(frame)) = reader.next_frame(Taken::Media(0)) {
                seen += 1;
                // A full channel loses the picture, not the rest.
                let _ = sender.try_send((Instant::now(), frame));
            }
        }
    })?;
    Ok(shown)
}

/// Puts pages on the root window.
struct Painter {
    connection: RustConnection,
    root: Window,
    depth: u8,
    context: Gcontext,
}

impl Painter {
    fn open(desktop: &Desktop) -> Result<Self> {
        let (connection, number) = x11rb::connect(Some(desktop.name()))?;
        let screen = connection.setup().roots.get(number).context("no screen")?;
        let (root, depth) = (screen.root, screen.root_depth);
        let context = connection.generate_id()?;
        connection.create_gc(context, root, &CreateGCAux::new())?.check()?;
        Ok(Self { connection, root, depth, context })
    }

    /// When it stood there.
    fn paint(&self, page: &Page) -> Result<Instant> {
        // Requests are bounded; a band of rows fits.
        let rows = 32;
        for (nth, band) in page.0.chunks(WIDTH * rows).enumerate() {
            let pixels: Vec<u8> = band.iter().flat_map(|grey| [*grey, *grey, *grey, 0]).collect();
            let (height, top) = ((band.len() / WIDTH) as u16, (nth * rows) as i16);
            self.connection.put_image(
                ImageFormat::Z_PIXMAP,
                self.root,
                self.context,
                WIDTH as u16,
                height,
                0,
                top,
                0,
                self.depth,
                &pixels,
            )?;
        }
        self.connection.get_input_focus()?.reply()?;
        Ok(Instant::now())
    }
}

/// Structural similarity (Wang et al. 2004), the mean over blocks of 8 x 8 that lie 4 apart.
fn alike(one: &[u8], other: &[u8]) -> f64 {
    const BLOCK: usize = 8;
    const STEP: usize = 4;
    let (mut sum, mut count) = (0.0, 0.0);
    for top in (0..=HEIGHT - BLOCK).step_by(STEP) {
        for left in (0..=WIDTH - BLOCK).step_by(STEP) {
            sum += similarity(|nth| {
                let at = (top + nth / BLOCK) * WIDTH + left + nth % BLOCK;
                (f64::from(one[at]), f64::from(other[at]))
            });
            count += 1.0;
        }
    }
    sum / count
}

fn similarity(pixels: impl Fn(usize) -> (f64, f64)) -> f64 {
    const PIXELS: usize = 64;
    let (c1, c2) = ((0.01_f64 * 255.0).powi(2), (0.03_f64 * 255.0).powi(2));
    let mut sums = [0.0; 5];
    for nth in 0..PIXELS {
        let (x, y) = pixels(nth);
        for (sum, term) in sums.iter_mut().zip([x, y, x * x, y * y, x * y]) {
            *sum += term;
        }
    }
    let [x, y, xx, yy, xy] = sums.map(|sum| sum / PIXELS as f64);
    let (of_x, of_y, both) = (xx - x * x, yy - y * y, xy - x * y);
    (2.0 * x * y + c1) * (2.0 * both + c2) / ((x * x + y * y + c1) * (of_x + of_y + c2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::video::frame::Size;

    fn size() -> Size {
        Size::new(WIDTH as u32, HEIGHT as u32).unwrap()
    }

    #[test]
    fn a_page_tells_its_number() {
        for number in [0, 1, 12, 31] {
            let mut page = Page(vec![255; WIDTH * HEIGHT]);
            mark(&mut page.0, number);
            let mut data = page.luma();
            data.resize(size().bytes(), 128);
            let frame = I420::packed(size(), Taken::Media(0), data).unwrap();
            assert_eq!(number_of(&frame).unwrap(), number);
        }
        let small = I420::plain(Size::new(320, 180).unwrap(), Taken::Media(0), [16, 128, 128]);
        assert!(number_of(&small).is_err());
    }

    #[test]
    fn what_is_the_same_is_alike_and_what_is_blurred_is_not() {
        let mut random = StdRng::seed_from_u64(1);
        let page: Vec<u8> =
            (0..WIDTH * HEIGHT).map(|_| if random.random_bool(0.2) { 16 } else { 235 }).collect();
        assert!(alike(&page, &page) > 0.9999);
        let noisy: Vec<u8> =
            page.iter().map(|pixel| pixel.saturating_add(random.random_range(0..8))).collect();
        let blurred: Vec<u8> = page
            .iter()
            .zip(page.iter().skip(1).chain([&16]))
            .map(|(one, next)| ((u32::from(*one) + u32::from(*next)) / 2) as u8)
            .collect();
        let (noisy, blurred) = (alike(&page, &noisy), alike(&page, &blurred));
        assert!(noisy > 0.97 && blurred < 0.9, "{noisy} {blurred}");
    }
}
