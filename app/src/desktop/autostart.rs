//! Whether Silbo starts when the person logs in: a file that says so, by the Desktop Application Autostart Specification
//! and the Desktop Entry Specification 1.5.
//!
//! ```text
//!   $XDG_CONFIG_HOME/autostart/silbo.desktop
//!
//!   [Desktop Entry]
//!   Type=Application
//!   Name=Silbo
//!   Exec="/usr/bin/silbo" "--profile" "/home/ana/work" "gui"
//!   Terminal=false
//! ```
//! There is one file, so one profile starts; the file alone says whether and which.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Whether this profile starts when the person logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autostart {
    /// It does.
    On,
    /// It does not.
    Off,
    /// Another profile does, in its place.
    Other,
}

/// Why that could not be changed or found out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AutostartError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {why}")]
    Unreadable {
        /// Which.
        path: String,
        /// In the words of the system.
        why: String,
    },
    /// The file, or its folder, cannot be written.
    #[error("{path} cannot be written: {why}")]
    Unwritable {
        /// Which.
        path: String,
        /// In the words of the system.
        why: String,
    },
    /// The program or the profile lies where such a file cannot name it.
    #[error("{path} cannot be named in a desktop entry")]
    Unnameable {
        /// Where.
        path: String,
    },
}

/// The file, and what it is to start.
#[derive(Debug, Clone)]
pub struct AutostartEntry {
    file: PathBuf,
    program: PathBuf,
    profile: Option<PathBuf>,
}

impl AutostartEntry {
    /// The entry below `config`, the person's folder of configuration, that starts `program` with `profile`, or with the
    /// usual one. All paths are absolute.
    pub fn new(config: &Path, program: PathBuf, profile: Option<PathBuf>) -> Self {
        Self { file: config.join("autostart").join("silbo.desktop"), program, profile }
    }

    /// What the file says.
    pub fn read(&self) -> Result<Autostart, AutostartError> {
        let text = match fs::File::open(&self.file) {
            Ok(file) => {
                let mut bytes = Vec::new();
                file.take(LONGEST_FILE).read_to_end(&mut bytes).map_err(|error| self.unreadable(&error))?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Autostart::Off),
            Err(error) => return Err(self.unreadable(&error)),
        };
        Ok(match started(&text) {
            None => Autostart::Off,
            Some(profile) if profile.as_deref() == self.profile.as_deref() => Autostart::On,
            Some(_) => Autostart::Other,
        })
    }

    /// Writes or removes the file.
    pub fn write(&self, autostart: Autostart) -> Result<(), AutostartError> {
        match autostart {
            Autostart::On => {
                let text = self.text()?;
                self.replace(&text).map_err(|error| self.unwritable(&error))
            }
            Autostart::Off | Autostart::Other => match fs::remove_file(&self.file) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(self.unwritable(&error)),
                _ => Ok(()),
            },
        }
    }

    fn text(&self) -> Result<String, AutostartError> {
        let program = nameable(&self.program)?;
        // The one sign that the name of a program may not have there.
        if program.contains('=') {
            return Err(AutostartError::Unnameable { path: program.to_owned() });
        }
        let mut arguments = vec![program];
        if let Some(profile) = &self.profile {
            arguments.extend(["--profile", nameable(profile)?]);
        }
        arguments.push("gui");
        let exec = arguments.into_iter().map(quoted).collect::<Vec<_>>().join(" ");
        Ok(format!("[Desktop Entry]\nType=Application\nName=Silbo\nExec={exec}\nTerminal=false\n"))
    }

    /// The old file or the new one, whole, whatever happens.
    fn replace(&self, text: &str) -> io::Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        let next = self.file.with_extension("desktop.new");
        let mut file = fs::File::create(&next)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&next, &self.file)
    }

    fn unreadable(&self, error: &io::Error) -> AutostartError {
        AutostartError::Unreadable { path: self.file.display().to_string(), why: error.to_string() }
    }

    fn unwritable(&self, error: &io::Error) -> AutostartError {
        AutostartError::Unwritable { path: self.file.display().to_string(), why: error.to_string() }
    }
}

/// More than any such file has; the rest is not read.
const LONGEST_FILE: u64 = 64 * 1024;

fn nameable(path: &Path) -> Result<&str, AutostartError> {
    let unnameable = || AutostartError::Unnameable { path: path.display().to_string() };
    // There is no room for a line break in such a file.
    path.to_str().filter(|path| !path.chars().any(char::is_control)).ok_or_else(unnameable)
}

/// An argument as it stands in `Exec`: quoted for the command line, then escaped as every string in the file.
fn quoted(argument: &str) -> String {
    let mut quoted = String::from('"');
    for letter in argument.chars() {
        match letter {
            '"' | '`' | '$' => quoted.extend(['\\', '\\', letter]),
            '\\' => quoted.push_str(r"\\\\"),
            '%' => quoted.push_str("%%"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// The profile that a file starts, inner none for the usual one; outer none when it starts nothing of ours.
fn started(text: &str) -> Option<Option<PathBuf>> {
    let lines = text.lines().map(str::trim).skip_while(|line| *line != "[Desktop Entry]").skip(1);
    let (mut exec, mut off) = (None, false);
    for line in lines.take_while(|line| !line.starts_with('[')) {
        let Some((key, value)) = line.split_once('=') else { continue };
        match (key.trim_end(), value.trim_start()) {
            ("Exec", command) => exec = Some(command),
            ("Hidden", "true") | ("X-GNOME-Autostart-enabled", "false") => off = true,
            _ => {}
        }
    }
    let arguments = arguments(&unescaped(exec.filter(|_| !off)?)?)?;
    let mut arguments = arguments.into_iter().skip(1);
    let mut profile = None;
    while let Some(argument) = arguments.next() {
        if argument == "--profile" {
            profile = Some(PathBuf::from(arguments.next()?));
        }
    }
    Some(profile)
}

/// A string of the file without its escapes; none where one makes no sense.
fn unescaped(value: &str) -> Option<String> {
    let mut letters = value.chars();
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        text.push(match letter {
            '\\' => match letters.next()? {
                's' => ' ',
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '\\' => '\\',
                _ => return None,
            },
            other => other,
        });
    }
    Some(text)
}

/// The arguments of a command line; none where its quotes make no sense.
fn arguments(command: &str) -> Option<Vec<String>> {
    let mut arguments = Vec::new();
    let mut current: Option<String> = None;
    let mut inside = false;
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                inside = !inside;
                current.get_or_insert_default();
            }
            '\\' if inside => current.get_or_insert_default().push(letters.next()?),
            '%' => {
                // A field such as `%u`, or a percent sign.
                if letters.next()? == '%' {
                    current.get_or_insert_default().push('%');
                }
            }
            ' ' if !inside => arguments.extend(current.take()),
            other => current.get_or_insert_default().push(other),
        }
    }
    arguments.extend(current);
    (!inside && !arguments.is_empty()).then_some(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "/opt/my apps/silbo";

    fn entry(config: &Path, profile: Option<&str>) -> AutostartEntry {
        AutostartEntry::new(config, PROGRAM.into(), profile.map(PathBuf::from))
    }

    #[test]
    fn it_starts_from_when_the_person_says_so_until_they_say_otherwise() {
        let config = tempfile::tempdir().unwrap();
        let entry = entry(config.path(), None);
        assert_eq!(entry.read(), Ok(Autostart::Off));
        entry.write(Autostart::On).unwrap();
        assert_eq!(entry.read(), Ok(Autostart::On));
        let text = fs::read_to_string(config.path().join("autostart/silbo.desktop")).unwrap();
        let exec = "[Desktop Entry]\nType=Application\nName=Silbo\nExec=\"/opt/my apps/silbo\" \"gui\"\nTerminal=false\n";
        assert_eq!(text, exec);
        entry.write(Autostart::Off).unwrap();
        entry.write(Autostart::Off).unwrap();
        assert_eq!(entry.read(), Ok(Autostart::Off));
        assert_eq!(fs::read_dir(config.path().join("autostart")).unwrap().count(), 0, "nothing is left");
    }

    #[test]
    fn any_path_comes_back_as_it_went() {
        let config = tempfile::tempdir().unwrap();
        for profile in
            ["/home/eva/100% \"mine\"", r"/a\b", "/$HOME/`x`", "/it's; here & there", "/ünï çødé/名"]
        {
            let entry = entry(config.path(), Some(profile));
            entry.write(Autostart::On).unwrap();
            assert_eq!(entry.read(), Ok(Autostart::On), "{profile}");
        }
        let text = fs::read_to_string(config.path().join("autostart/silbo.desktop")).unwrap();
        assert!(text.contains("\"--profile\" \"/ünï çødé/名\" \"gui\""));
    }

    #[test]
    fn quotes_and_backslashes_are_written_as_the_specification_says() {
        assert_eq!(quoted(r#"a"b"#), r#""a\\"b""#);
        assert_eq!(quoted(r"a\b"), r#""a\\\\b""#);
        assert_eq!(quoted("a$b`c%d"), r#""a\\$b\\`c%%d""#);
    }

    #[test]
    fn what_starts_another_profile_is_not_ours() {
        let config = tempfile::tempdir().unwrap();
        entry(config.path(), Some("/home/eva/work")).write(Autostart::On).unwrap();
        assert_eq!(entry(config.path(), None).read(), Ok(Autostart::Other));
        assert_eq!(entry(config.path(), Some("/home/eva/home")).read(), Ok(Autostart::Other));
        entry(config.path(), None).write(Autostart::On).unwrap();
        assert_eq!(entry(config.path(), None).read(), Ok(Autostart::On));
    }

    #[test]
    fn what_others_switched_off_or_made_unreadable_does_not_start() {
        let config = tempfile::tempdir().unwrap();
        let entry = entry(config.path(), None);
        entry.write(Autostart::On).unwrap();
        let file = config.path().join("autostart/silbo.desktop");
        let good = "[Desktop Entry]\nExec=silbo gui %u\n";
        fs::write(&file, good).unwrap();
        assert_eq!(entry.read(), Ok(Autostart::On));
        let off = ["Hidden=true\n", "X-GNOME-Autostart-enabled=false\n"].map(|line| format!("{good}{line}"));
        let broken = [
            "",
            "Exec=silbo\n",
            "[Desktop Entry]\n",
            "[Desktop Entry]\nExec=\n",
            "[Desktop Entry]\nExec=\"silbo\n",
            "[Desktop Entry]\nExec=silbo \\q\n",
            "[Desktop Entry]\nExec=silbo \\\n",
            "[Desktop Entry]\nExec=silbo %\n",
            "[Desktop Entry]\nExec=silbo --profile\n",
            "[Other]\nExec=silbo\n",
        ];
        for text in off.iter().map(String::as_str).chain(broken) {
            fs::write(&file, text).unwrap();
            assert_eq!(entry.read(), Ok(Autostart::Off), "{text:?}");
        }
        fs::write(&file, b"[Desktop Entry]\nExec=\"\xff\x00\n").unwrap();
        assert_eq!(entry.read(), Ok(Autostart::Off));
    }

    #[test]
    fn what_cannot_be_written_or_named_is_said() {
        let config = tempfile::tempdir().unwrap();
        fs::write(config.path().join("autostart"), "a file where the folder should be").unwrap();
        let entry = entry(config.path(), None);
        let error = entry.write(Autostart::On).unwrap_err();
        assert!(matches!(error, AutostartError::Unwritable { path, .. } if path.ends_with("silbo.desktop")));
        assert!(matches!(entry.read(), Err(AutostartError::Unreadable { .. })));
        let odd = AutostartEntry::new(config.path(), "/a\nb".into(), None);
        assert!(matches!(odd.write(Autostart::On), Err(AutostartError::Unnameable { .. })));
    }
}
