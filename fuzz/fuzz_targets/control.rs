#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| silbo_fuzz::check("control", input));
