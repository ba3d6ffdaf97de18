"""Numbers -> RGB arrays and bytes. Nothing here knows a model.

colours    colour maps, the colours of crops
pictures   heat maps, overlays, boxes, contact sheets
film       frames -> an animated GIF or WebP
encode     PNG, JPEG, and named arrays in one binary answer
"""
