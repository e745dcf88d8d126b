//! Declared identities: Kubernetes, CI workflows, agent and MCP configuration; one file a surface.
