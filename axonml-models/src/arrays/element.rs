//! Elements that arrays are written of.

/// A type of elements that arrays are written of, little-endian.
pub trait NpyElement: Copy {
    /// The type as NumPy writes it: `<f8`.
    const DESCR: &'static str;
    /// Bytes of an element.
    const BYTES: usize;

    /// Puts the element into [`BYTES`](Self::BYTES) bytes.
    fn put(self, bytes: &mut [u8]);
}

/// A type of numbers that arrays are written of and read as, without a change.
pub trait NpyNumber: NpyElement + Default + Into<f64> {
    /// The number in [`BYTES`](NpyElement::BYTES) bytes.
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! elements {
    ($($number:ty: $descr:literal),*) => {$(
        impl NpyElement for $number {
            const DESCR: &'static str = $descr;
            const BYTES: usize = size_of::<$number>();

            fn put(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}
elements!(f32: "<f4", f64: "<f8", i64: "<i8", u8: "|u1");

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl NpyNumber for $number {
            fn get(bytes: &[u8]) -> Self {
                <$number>::from_le_bytes(bytes.try_into().expect("as many bytes as a number has"))
            }
        }
    )*};
}
numbers!(f32, f64);
