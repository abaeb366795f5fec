//! silbo
fn main() {}
