//! Facts about AWS: actions and access levels, escalation paths, known accounts.
