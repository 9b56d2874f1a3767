//! axonml
fn main() {}
