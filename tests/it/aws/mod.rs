//! Accounts read live: against a moto server that the tests install and start themselves, through a proxy of their own
//! that can fail as AWS does and answers what moto lacks.

mod live;
mod logins;
mod moto;
mod permissions;
mod proxy;
mod troubles;
