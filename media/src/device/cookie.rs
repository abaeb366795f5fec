//! The cookie that is shown to PulseAudio, made where there is none.
//!
//! The server hangs up on whoever does not show 256 bytes, also where it lets in every program of the same person and never
//! reads them. PipeWire, which imitates it, does not even make the file. The client of `cpal` shows what it finds in one of
//! three places, else nothing; so a file is made first, as PulseAudio's own client makes it.
//!
//! ```text
//! $PULSE_COOKIE ── none ─▶ ~/.config/pulse/cookie ── none ─▶ ~/.pulse-cookie ── none ─▶ made in the first that can be written
//! ```

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub(super) mod driver;

/// As long as the server wants it.
const LENGTH: usize = 256;

/// What is shown.
type Cookie = [u8; LENGTH];

/// There is none, and none can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoCookie {
    /// Where it would be.
    pub(super) path: PathBuf,
    /// Why it is not.
    pub(super) why: String,
}

/// Sees to it that whoever looks in these places, in this order, finds a cookie.
fn provide(places: &[PathBuf], fresh: &Cookie) -> Result<(), NoCookie> {
    if let Some(there) = places.iter().find(|place| place.exists()) {
        return read(there).map_err(|why| no_cookie(there, &why));
    }
    let mut first = None;
    for place in places {
        match make(place, fresh).and_then(|()| read(place)) {
            Ok(()) => return Ok(()),
            Err(why) => drop(first.get_or_insert_with(|| no_cookie(place, &why))),
        }
    }
    Err(first.unwrap_or_else(|| NoCookie { path: PathBuf::new(), why: "there is no home folder".to_owned() }))
}

/// Whether this is one. The client shows all that it reads, and the server counts.
fn read(place: &Path) -> io::Result<()> {
    match fs::read(place)?.len() {
        LENGTH => Ok(()),
        length => Err(io::Error::other(format!("it has {length} bytes in place of {LENGTH}"))),
    }
}

/// Makes one which nobody else can read, and which nobody finds half written. One that was made meanwhile stays.
fn make(place: &Path, fresh: &Cookie) -> io::Result<()> {
    let folder = place.parent().ok_or(io::ErrorKind::InvalidFilename)?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let suffix = fresh.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<String>();
    let draft = place.with_extension(suffix);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let made = file.write_all(fresh).and_then(|()| fs::hard_link(&draft, place));
    fs::remove_file(&draft)?;
    match made {
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn no_cookie(place: &Path, why: &io::Error) -> NoCookie {
    NoCookie { path: place.to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    const FRESH: Cookie = [9; LENGTH];

    /// Somebody's home, and the two places in it.
    fn home() -> (tempfile::TempDir, [PathBuf; 2]) {
        let home = tempfile::tempdir().unwrap();
        let places = [home.path().join(".config/pulse/cookie"), home.path().join(".pulse-cookie")];
        (home, places)
    }

    #[test]
    fn where_there_is_none_one_is_made_which_only_its_owner_reads() {
        let (_home, places) = home();
        provide(&places, &FRESH).unwrap();
        assert_eq!(fs::read(&places[0]).unwrap(), FRESH);
        let folder = places[0].parent().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&places[0]), mode(folder)), (0o600, 0o700));
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "no draft is left");
        assert!(!places[1].exists());
    }

    #[test]
    fn one_that_is_there_is_shown_as_it_is() {
        let (_home, places) = home();
        fs::write(&places[1], [1; LENGTH]).unwrap();
        provide(&places, &FRESH).unwrap();
        assert!(!places[0].exists());
        assert_eq!(fs::read(&places[1]).unwrap(), [1; LENGTH]);
    }

    #[test]
    fn one_that_is_made_meanwhile_is_not_replaced() {
        let (home, _) = home();
        let place = home.path().join("cookie");
        fs::write(&place, [1; LENGTH]).unwrap();
        make(&place, &FRESH).unwrap();
        assert_eq!(fs::read(&place).unwrap(), [1; LENGTH]);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn where_the_first_place_cannot_be_written_the_second_serves() {
        let (home, places) = home();
        fs::write(home.path().join(".config"), "no folder").unwrap();
        provide(&places, &FRESH).unwrap();
        assert_eq!(fs::read(&places[1]).unwrap(), FRESH);
    }

    #[test]
    fn where_nothing_can_be_written_the_usual_place_is_named() {
        let (home, _) = home();
        let file = home.path().join("no folder");
        fs::write(&file, "").unwrap();
        let places = [file.join("pulse/cookie"), file.join(".pulse-cookie")];
        assert_eq!(provide(&places, &FRESH).unwrap_err().path, places[0]);
    }

    #[test]
    fn one_of_another_length_is_left_alone_and_blamed() {
        let (_home, places) = home();
        fs::write(&places[1], "short").unwrap();
        let NoCookie { path, why } = provide(&places, &FRESH).unwrap_err();
        assert_eq!((path, why.as_str()), (places[1].clone(), "it has 5 bytes in place of 256"));
        assert_eq!(fs::read(&places[1]).unwrap(), b"short");
    }
}
