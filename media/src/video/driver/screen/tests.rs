//! On an X server of their own (Xvfb).
#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use x11rb::errors::DisplayParsingError;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeGCAux, ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt as _, CreateGCAux,
    CreateWindowAux, Gcontext, PropMode, Rectangle, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::*;
use crate::video::window::WindowId;

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
        Screen::at(Some(&self.display)).unwrap()
    }

    fn window(&self, title: &str) -> Result<Screen, ScreenError> {
        Screen::window_at(Some(&self.display), &title.parse().unwrap())
    }

    /// The titles that are listed, and whether they can be seen.
    fn titles(&self) -> Vec<(String, Standing)> {
        let (connection, root) = connect(Some(&self.display)).unwrap();
        let listed = windows::list(&connection, root).unwrap();
        listed.into_iter().map(|(window, stands)| (window.title, stands)).collect()
    }

    fn painter(&self) -> Painter {
        let (connection, number) = x11rb::connect(Some(&self.display)).unwrap();
        let root = connection.setup().roots[number].root;
        let context = connection.generate_id().unwrap();
        connection.create_gc(context, root, &CreateGCAux::new()).unwrap();
        let painter = Painter { connection, root, context };
        painter.set_pointer();
        painter
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

    /// A window of this place and size, of one colour.
    fn open(&self, title: &str, colour: u32, (x, y): (i16, i16), (width, height): (u16, u16)) -> Window {
        let window = self.connection.generate_id().unwrap();
        let (input, parent) = (WindowClass::INPUT_OUTPUT, self.root);
        let colour = CreateWindowAux::new().background_pixel(colour);
        self.connection.create_window(0, window, parent, x, y, width, height, 0, input, 0, &colour).unwrap();
        let title = title.as_bytes();
        let (name, text) = (AtomEnum::WM_NAME, AtomEnum::STRING);
        self.connection.change_property8(PropMode::REPLACE, window, name, text, title).unwrap();
        self.show(window);
        window
    }

    fn show(&self, window: Window) {
        self.connection.map_window(window).unwrap();
        self.sync();
    }

    fn hide(&self, window: Window) {
        self.connection.unmap_window(window).unwrap();
        self.sync();
    }

    fn resize(&self, window: Window, width: u32, height: u32) {
        let size = ConfigureWindowAux::new().width(width).height(height);
        self.connection.configure_window(window, &size).unwrap();
        self.sync();
    }

    fn set(&self, window: Window, property: &str, kind: AtomEnum, values: &[u32]) {
        let property = self.connection.intern_atom(false, property.as_bytes()).unwrap().reply().unwrap().atom;
        self.connection.change_property32(PropMode::REPLACE, window, property, kind, values).unwrap();
        self.sync();
    }

    fn paint_all(&self, colour: u32) {
        self.fill(self.root, colour, (0, 0), (WIDTH, HEIGHT));
    }

    /// A white square to the right of its hot spot and below.
    fn set_pointer(&self) {
        let connection = &self.connection;
        let [shape, context, pointer] = [(); 3].map(|()| connection.generate_id().unwrap());
        connection.create_pixmap(1, shape, self.root, 16, 16).unwrap();
        connection.create_gc(context, shape, &CreateGCAux::new().foreground(1)).unwrap();
        let all = Rectangle { x: 0, y: 0, width: 16, height: 16 };
        connection.poly_fill_rectangle(shape, context, &[all]).unwrap();
        let white = u16::MAX;
        connection.create_cursor(pointer, shape, shape, white, white, white, 0, 0, 0, 0, 0).unwrap();
        let pointer = ChangeWindowAttributesAux::new().cursor(pointer);
        connection.change_window_attributes(self.root, &pointer).unwrap();
        self.sync();
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
    assert!(matches!(Screen::at(Some(&display)), Err(ScreenError::Unreachable(_))));
}

#[test]
fn a_window_is_seen_whatever_covers_it_and_whatever_its_size() {
    let server = Server::start(&[]);
    let painter = server.painter();
    let notes = painter.open("notes", RED, (20, 30), (100, 60));
    painter.open("cover", BLUE, (0, 0), (200, 150));
    let mut screen = server.window("notes").unwrap();
    let now = Instant::now();
    let first = screen.take(now).unwrap();
    assert_eq!((first.size().width(), first.size().height()), (100, 60));
    assert!(first.planes()[0].data.iter().all(|luma| *luma == RED_LUMA));
    assert!(same(&first, &screen.take(now).unwrap()));
    painter.fill(notes, BLUE, (99, 59), (1, 1));
    let drawn = screen.take(now).unwrap();
    assert_eq!((luma(&drawn, 99, 59), luma(&drawn, 98, 58)), (BLUE_LUMA, RED_LUMA));
    for (width, height) in [(120, 80), (30, 7)] {
        painter.resize(notes, width, height);
        let resized = screen.take(now).unwrap();
        assert_eq!((resized.size().width(), resized.size().height()), (width, height));
    }
}

#[test]
fn the_last_picture_of_a_window_stays_while_it_is_minimised_and_none_once_it_is_closed() {
    let server = Server::start(&[]);
    let painter = server.painter();
    let notes = painter.open("notes", RED, (20, 30), (100, 60));
    let mut screen = server.window("notes").unwrap();
    let now = Instant::now();
    let first = screen.take(now).unwrap();
    painter.hide(notes);
    assert!(same(&first, &screen.take(now + TRUSTED).unwrap()));
    painter.show(notes);
    painter.fill(notes, BLUE, (0, 0), (100, 60));
    let back = screen.take(now + TRUSTED).unwrap();
    assert_eq!(luma(&back, 5, 5), BLUE_LUMA);
    painter.connection.destroy_window(notes).unwrap();
    painter.sync();
    assert!(matches!(screen.take(now), Err(ScreenError::Closed)));
    let id = WindowId::new(notes).unwrap().to_string();
    assert!(matches!(server.window(&id), Err(ScreenError::Closed)));
}

#[test]
fn a_window_that_was_never_seen_is_not_shown() {
    let server = Server::start(&[]);
    let painter = server.painter();
    let notes = painter.open("notes", RED, (20, 30), (100, 60));
    painter.hide(notes);
    let mut screen = server.window(&WindowId::new(notes).unwrap().to_string()).unwrap();
    assert!(matches!(screen.take(Instant::now()), Err(ScreenError::Hidden)));
}

#[test]
fn the_pointer_is_seen_over_the_window_only_and_where_it_is_in_it() {
    let server = Server::start(&[]);
    let painter = server.painter();
    painter.open("notes", RED, (100, 50), (60, 60));
    painter.point(10, 10);
    let mut screen = server.window("notes").unwrap();
    let now = Instant::now();
    let without = screen.take(now).unwrap();
    assert!(without.planes()[0].data.iter().all(|luma| *luma == RED_LUMA));
    painter.point(130, 80);
    let with = screen.take(now).unwrap();
    let other = |(at, luma): (usize, &u8)| (*luma != RED_LUMA).then_some((at % 60, at / 60));
    let drawn: Vec<_> = with.planes()[0].data.iter().enumerate().filter_map(other).collect();
    assert!(!drawn.is_empty() && drawn.iter().all(|(x, y)| x.abs_diff(30) < 20 && y.abs_diff(30) < 20));
    painter.point(10, 90);
    assert!(screen.take(now).unwrap().data() == without.data());
}

#[test]
fn windows_are_those_with_a_name_of_other_programs() {
    let server = Server::start(&[]);
    let painter = server.painter();
    let places = (0, 0);
    let notes = painter.open("notes", RED, places, (50, 50));
    let mail = painter.open("mail", RED, places, (50, 50));
    painter.open(" ", RED, places, (50, 50));
    painter.hide(painter.open("helper", RED, places, (50, 50)));
    let call = painter.open("our call", RED, places, (50, 50));
    painter.set(call, "_NET_WM_PID", AtomEnum::CARDINAL, &[std::process::id()]);
    let shown = |title: &str| (title.to_owned(), Standing::Shown);
    assert_eq!(server.titles(), [shown("mail"), shown("notes")], "without a window manager");

    let panel = painter.open("panel", RED, places, (50, 50));
    let name = painter.connection.intern_atom(false, b"_NET_WM_WINDOW_TYPE_DOCK").unwrap().reply().unwrap();
    painter.set(panel, "_NET_WM_WINDOW_TYPE", AtomEnum::ATOM, &[name.atom]);
    painter.hide(mail);
    let listed = [notes, panel, mail, call, 0, 0x1fff_ffff];
    painter.set(painter.root, "_NET_CLIENT_LIST", AtomEnum::WINDOW, &listed);
    assert_eq!(server.titles(), [shown("notes"), ("mail".to_owned(), Standing::Hidden)], "with one");
}

#[test]
fn who_asks_for_a_window_that_is_not_there_or_cannot_be_told_is_refused() {
    let server = Server::start(&[]);
    let painter = server.painter();
    painter.open("Editor", RED, (0, 0), (50, 50));
    painter.open("Editor", RED, (0, 0), (50, 50));
    let refused = |title| server.window(title).err().map(|error| error.to_string());
    assert_eq!(refused("mail").as_deref(), Some("no window that is open is called \"mail\""));
    assert!(refused("Ed").unwrap().starts_with("2 windows"));
    assert!(matches!(server.window("0x1fffffff"), Err(ScreenError::Closed)));
}

#[test]
fn a_server_that_draws_all_windows_into_one_picture_shows_none_alone() {
    let server = Server::start(&["-extension", "Composite"]);
    let painter = server.painter();
    painter.open("notes", RED, (0, 0), (50, 50));
    assert!(matches!(server.window("notes"), Err(ScreenError::NoWindows)));
}

#[test]
fn without_x11_the_reason_is_wayland_where_there_is_wayland() {
    let why = || ConnectError::DisplayParsingError(DisplayParsingError::DisplayNotSet);
    for nothing in [None, Some("")] {
        assert!(matches!(unreachable(why(), nothing.map(Into::into)), ScreenError::Unreachable(_)));
    }
    assert!(matches!(unreachable(why(), Some("wayland-0".into())), ScreenError::Wayland));
}
