"""The stack: its templates, its code bundle, what deploys and rehearses it; `infra.local` imitates AWS."""
