//! On an X server of their own (Xvfb).

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use x11rb::protocol::xproto::{ChangeGCAux, CreateGCAux, Gcontext, Rectangle};

use super::*;

const WIDTH: u16 = 320;
const HEIGHT: u16 = 180;

const RED: u32 = 0x00ff_0000;
const BLUE: u32 = 0x0000_00ff;
/// Their luma.
const RED_LUMA: u8 = 82;
const BLUE_LUMA: u8 = 41;

/// A server that ends with its owner.
struct Server {
    process: Child,
    display: String,
}

impl Server {
    fn start(words: &[&str]) -> Self {
        let mut process = Command::new("Xvfb")
            .args(["-displayfd", "1", "-noreset", "-nolisten", "tcp", "-screen", "0"])
            .arg(format!("{WIDTH}x{HEIGHT}x24"))
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed");
        let mut number = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert!(!number.trim().is_empty(), "Xvfb did not start");
        Self { process, display: format!(":{}", number.trim()) }
    }

    fn screen(&self) -> Screen {
        Screen::of(Some(&self.display)).unwrap()
    }

    fn painter(&self) -> Painter {
        let (connection, number) = x11rb::connect(Some(&self.display)).unwrap();
        let root = connection.setup().roots[number].root;
        let context = connection.generate_id().unwrap();
        connection.create_gc(context, root, &CreateGCAux::new()).unwrap();
        Painter { connection, root, context }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Somebody else at the same server.
struct Painter {
    connection: RustConnection,
    root: Window,
    context: Gcontext,
}

impl Painter {
    fn fill(&self, window: Window, colour: u32, (x, y): (i16, i16), (width, height): (u16, u16)) {
        let colour = ChangeGCAux::new().foreground(colour);
        self.connection.change_gc(self.context, &colour).unwrap();
        let all = Rectangle { x, y, width, height };
        self.connection.poly_fill_rectangle(window, self.context, &[all]).unwrap();
        self.sync();
    }

    fn paint_all(&self, colour: u32) {
        self.fill(self.root, colour, (0, 0), (WIDTH, HEIGHT));
    }

    fn point(&self, x: i16, y: i16) {
        self.connection.warp_pointer(x11rb::NONE, self.root, 0, 0, 0, 0, x, y).unwrap();
        self.sync();
    }

    fn sync(&self) {
        self.connection.get_input_focus().unwrap().reply().unwrap();
    }
}

fn luma(frame: &I420, x: usize, y: usize) -> u8 {
    let plane = frame.planes()[0];
    plane.data[y * plane.stride + x]
}

/// Whether both are one grab.
fn same(one: &I420, other: &I420) -> bool {
    std::ptr::eq(one.data(), other.data())
}

#[test]
fn a_screen_looks_the_same_however_its_pixels_come() {
    let server = Server::start(&[]);
    let (painter, mut screen) = (server.painter(), server.screen());
    painter.paint_all(RED);
    painter.fill(painter.root, BLUE, (300, 170), (20, 10));
    let now = Instant::now();
    let shared = screen.take(now).unwrap();
    assert!(matches!(screen.grabber, Grabber::Shared(_)));
    assert_eq!((shared.size().width(), shared.size().height()), (320, 180));
    assert_eq!((luma(&shared, 0, 0), luma(&shared, 319, 179)), (RED_LUMA, BLUE_LUMA));
    (screen.grabber, screen.last) = (Grabber::Sent, None);
    let sent = screen.take(now).unwrap();
    assert!(!same(&shared, &sent) && shared.data() == sent.data());
}

#[test]
fn nothing_is_grabbed_until_something_is_drawn_or_the_pointer_moves() {
    let server = Server::start(&[]);
    let (painter, mut screen) = (server.painter(), server.screen());
    painter.paint_all(RED);
    painter.point(10, 10);
    let now = Instant::now();
    let soon = now + Duration::from_millis(67);
    let first = screen.take(now).unwrap();
    let again = screen.take(soon).unwrap();
    assert!(same(&first, &again) && again.taken() == Taken::At(soon));
    painter.fill(painter.root, BLUE, (300, 170), (1, 1));
    let drawn = screen.take(soon).unwrap();
    assert!(luma(&first, 300, 170) == RED_LUMA && luma(&drawn, 300, 170) == BLUE_LUMA);
    assert!(same(&drawn, &screen.take(soon).unwrap()));
    painter.point(200, 100);
    let pointed = screen.take(soon).unwrap();
    let differs = |x: usize, y: usize| luma(&pointed, x, y) != luma(&drawn, x, y);
    assert!((190..215).any(|x| (90..115).any(|y| differs(x, y))), "the pointer came");
    assert!((0..25).any(|x| (0..25).any(|y| differs(x, y))), "and went");
    assert!(same(&pointed, &screen.take(soon).unwrap()));
    assert!(!same(&pointed, &screen.take(soon + TRUSTED).unwrap()), "silence is not trusted for ever");
}

#[test]
fn a_server_with_no_extension_at_all_is_looked_at_every_time() {
    let without = ["MIT-SHM", "DAMAGE", "XFIXES"].map(|name| ["-extension", name]).concat();
    let server = Server::start(&without);
    let (painter, mut screen) = (server.painter(), server.screen());
    assert!(screen.damage.is_none() && screen.pointer.is_none());
    painter.paint_all(RED);
    let now = Instant::now();
    let first = screen.take(now).unwrap();
    assert!(matches!(screen.grabber, Grabber::Sent));
    painter.paint_all(BLUE);
    let second = screen.take(now).unwrap();
    assert_eq!((luma(&first, 5, 5), luma(&second, 5, 5)), (RED_LUMA, BLUE_LUMA));
}

#[test]
fn who_hangs_up_or_is_not_there_is_an_error() {
    let server = Server::start(&[]);
    let mut screen = server.screen();
    screen.take(Instant::now()).unwrap();
    let display = server.display.clone();
    drop(server);
    assert!(screen.take(Instant::now()).is_err());
    assert!(matches!(Screen::of(Some(&display)), Err(ScreenError::Unreachable(_))));
}
