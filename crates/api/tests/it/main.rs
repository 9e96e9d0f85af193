//! The generated Kinesis API against what its model demands.

mod malformed;
mod probe;
mod round_trip;
mod streams;
mod vectors;
mod wording;
