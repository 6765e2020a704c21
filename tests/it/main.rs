//! Integration tests: rooms together, on real models, files and sockets. One binary, so that they link once.

mod detect;
