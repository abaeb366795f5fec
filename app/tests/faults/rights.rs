//! Programs that may do less than whoever started them.

use std::{fs, os::unix::fs::MetadataExt, process::Command};

/// The same command without these capabilities of the superuser; anybody else has none of them anyway.
pub(crate) fn without(capabilities: &str, command: Command) -> Command {
    if fs::metadata("/proc/self").map_or(true, |process| process.uid() != 0) {
        return command;
    }
    let mut less = Command::new("setpriv");
    less.arg(format!("--bounding-set={capabilities}")).arg(command.get_program());
    within(less, &command)
}

/// `wrapper` with all that belongs to `inner`: its arguments, its folder, its environment.
pub(crate) fn within(mut wrapper: Command, inner: &Command) -> Command {
    wrapper.args(inner.get_args());
    if let Some(folder) = inner.get_current_dir() {
        wrapper.current_dir(folder);
    }
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => wrapper.env(name, value),
            None => wrapper.env_remove(name),
        };
    }
    wrapper
}

/// Whether a program can be run here.
pub(crate) fn has(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}
