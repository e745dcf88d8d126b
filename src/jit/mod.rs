//! Risk, fit, blockers, disposition and lifetime of each access, with evidence. Pure.
