//! The review in a terminal: actions, pure reducer, views.
