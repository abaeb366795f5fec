//! A list that refuses to grow beyond its bound, also while it is being decoded.

use std::ops::Deref;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// A list of at most `N` elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounded<T, const N: usize>(Vec<T>);

impl<T, const N: usize> Bounded<T, N> {
    /// The first `N` elements; the rest is dropped.
    pub fn take(elements: impl IntoIterator<Item = T>) -> Self {
        Self(elements.into_iter().take(N).collect())
    }

    /// The elements.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const N: usize> Deref for Bounded<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<C, T: Encode<C>, const N: usize> Encode<C> for Bounded<T, N> {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.0.encode(e, ctx)
    }
}

impl<'b, C, T: Decode<'b, C>, const N: usize> Decode<'b, C> for Bounded<T, N> {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let len = d.array()?.ok_or_else(|| decode::Error::message("indefinite length"))?;
        if len > N as u64 {
            return Err(decode::Error::message("list too long"));
        }
        // At most N, and no more room than they need.
        let mut elements = Vec::with_capacity(len as usize);
        for _ in 0..len {
            elements.push(d.decode_with(ctx)?);
        }
        Ok(Self(elements))
    }
}
