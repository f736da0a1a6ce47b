"""The spec language: models, loader, references and problems. Pure, and imports no other room."""
