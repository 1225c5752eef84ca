//! Nothing of the product: the tests in this crate run other people's libraries on what ours wrote.
