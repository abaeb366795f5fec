//! What is filmed and heard: a landscape that passes by before a camera that is none of the best, somebody who talks before
//! a usual one, and a tone.

use std::f64::consts::TAU;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use media::video::frame::{I420, Size, Taken};
use media::video::y4m::{FrameRate, Y4mWriter};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::tone;

/// Files to be sent.
#[derive(Debug, Clone)]
pub struct Films {
    /// 1280x720, 30 pictures a second: any encoder could use several Mbit/s for it.
    pub hungry: PathBuf,
    /// The same size and rate: somebody sits and talks before a wall, as in most calls.
    pub talking: PathBuf,
    /// A sine, to be repeated.
    pub tone: PathBuf,
}

const WIDTH: usize = 1280;
const HEIGHT: usize = 720;
/// Pictures; the last is followed by the first.
const PICTURES: usize = 90;
/// Pixels between two heights of the landscape.
const COARSE: usize = 16;
/// A landscape that passes by.
const PASSING: Scene = Scene { swing: 120.0, noise: 5, who: None };
/// Somebody who talks, a third of the picture's width, and sways.
const TALKING: Scene =
    Scene { swing: 0.0, noise: 1, who: Some(Sitter { width: 400.0, height: 560.0, sways: 24.0 }) };

/// What stands before the camera.
#[derive(Debug, Clone, Copy)]
struct Scene {
    /// How far the landscape goes past its edge, to either side.
    swing: f64,
    /// What the camera adds of its own, at most.
    noise: i16,
    who: Option<Sitter>,
}

/// An ellipse with a texture of its own, in pixels of the luma.
#[derive(Debug, Clone, Copy)]
struct Sitter {
    width: f64,
    height: f64,
    sways: f64,
}

impl Films {
    /// Makes them in `folder`.
    pub fn make(folder: &Path) -> Result<Self> {
        let at = |name: &str| folder.join(name);
        let films = Self { hungry: at("hungry.y4m"), talking: at("talking.y4m"), tone: at("tone.wav") };
        film(&films.hungry, PASSING)?;
        film(&films.talking, TALKING)?;
        tone::write(&films.tone, 440.0)?;
        Ok(films)
    }
}

fn film(path: &Path, scene: Scene) -> Result<()> {
    let mut random = StdRng::seed_from_u64(7);
    let margin = scene.swing.max(scene.who.map_or(0.0, |who| who.sways)) as usize + 1;
    let planes: Vec<Vec<u8>> =
        [(WIDTH, HEIGHT, 90), (WIDTH / 2, HEIGHT / 2, 40), (WIDTH / 2, HEIGHT / 2, 40)]
            .map(|(width, height, depth)| landscape(width + 2 * margin, height, depth, &mut random))
            .into();
    let noise = scene.noise;
    let grain: Vec<i16> = (0..(1 << 16) + WIDTH).map(|_| random.random_range(-noise..=noise)).collect();
    let size = Size::new(WIDTH as u32, HEIGHT as u32)?;
    let rate = FrameRate::new(30, 1).context("no rate")?;
    let mut film = Y4mWriter::create(BufWriter::new(File::create(path)?), size, rate)?;
    for nth in 0..PICTURES {
        let phase = (TAU * nth as f64 / PICTURES as f64).sin();
        let mut data = Vec::with_capacity(size.bytes());
        for (plane, width, height, scale) in
            [(0, WIDTH, HEIGHT, 1.0), (1, WIDTH / 2, HEIGHT / 2, 0.5), (2, WIDTH / 2, HEIGHT / 2, 0.5)]
        {
            let stride = width + 2 * margin;
            let left = (margin as f64 + phase * scene.swing * scale) as usize;
            for row in 0..height {
                let mut pixels = planes[plane][row * stride + left..][..width].to_vec();
                if let Some(who) = scene.who {
                    let sways = (phase * who.sways * scale) as isize;
                    let chest = who.chord(row as f64 / scale) * scale;
                    let middle = (width / 2).saturating_add_signed(sways);
                    let from = middle - chest as usize;
                    // Upside down, or nobody could be told from the wall.
                    let skin = (height - 1 - row) * stride + margin;
                    let skin =
                        &planes[plane][skin + from.saturating_add_signed(-sways)..][..2 * chest as usize];
                    pixels[from..from + skin.len()].copy_from_slice(skin);
                }
                let grains = random.random_range(0..1 << 16);
                let pixels = pixels.iter().zip(&grain[grains..]);
                data.extend(pixels.map(|(pixel, grain)| (i16::from(*pixel) + grain).clamp(16, 235) as u8));
            }
        }
        film.write(&I420::packed(size, Taken::Media(0), data)?)?;
    }
    film.finish()?;
    Ok(())
}

impl Sitter {
    /// Half the width at a row, counted from above; none above the head.
    fn chord(self, row: f64) -> f64 {
        let above = (HEIGHT as f64 - row) / self.height;
        self.width / 2.0 * (1.0 - above * above).max(0.0).sqrt()
    }
}

/// Hills of chance, with stones on them.
fn landscape(width: usize, height: usize, depth: i32, random: &mut StdRng) -> Vec<u8> {
    let (columns, rows) = (width / COARSE + 2, height / COARSE + 2);
    let hills: Vec<i32> = (0..columns * rows).map(|_| random.random_range(-depth..=depth)).collect();
    let mut pixels = Vec::with_capacity(width * height);
    let coarse = COARSE as i32;
    for y in 0..height {
        for x in 0..width {
            let (column, row) = (x / COARSE, y / COARSE);
            let (right, down) = ((x % COARSE) as i32, (y % COARSE) as i32);
            let at = |column: usize, row: usize| hills[row * columns + column];
            let above = at(column, row) * (coarse - right) + at(column + 1, row) * right;
            let below = at(column, row + 1) * (coarse - right) + at(column + 1, row + 1) * right;
            let hill = (above * (coarse - down) + below * down) / (coarse * coarse);
            let stone = random.random_range(-depth / 6..=depth / 6);
            pixels.push((126 + hill + stone).clamp(16, 235) as u8);
        }
    }
    pixels
}
