//! Black-box tests: the built `silbo` as a person or a program runs it, on loopback, with its exit statuses and its
//! JSON events. Nothing here asserts a timing; every wait is bounded.

#![cfg(test)]

#[cfg(unix)]
mod attach;
mod blocking;
mod calls;
mod custody;
mod directory;
mod doctor;
#[path = "../harness/mod.rs"]
mod harness;
mod pictures;
mod profile;
mod sound;
mod usage;
