//! Resource policies: parsing, validation and evaluation.
