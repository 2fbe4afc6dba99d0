"""What tests are written with: builders of valid objects, a partner as client, a partner as server."""
