"""Where packets come from: capture files now, live interfaces later."""
