"""What a browser does before Python is asked and after it has answered, in JavaScript."""

# What the page is opened with. A picture of one's own may have to be sent again first.
ARRIVES = """async (_, ...rest) => {
    if (/[#&]picture=/.test(location.hash))
        await import(new URL("inside/js/page/reopening.js", document.baseURI))
            .then((page) => page.reopenLinked()).catch(() => null);
    return [location.hash, ...rest];
}"""
# A quick answer may come before the scripts have loaded.
ARRIVED = """() => import(new URL("inside/js/boot.js", document.baseURI))
    .then(() => { Inside.arrived(); })"""
# Whether the widget is empty: it is for a moment whenever a picture is replaced.
EMPTIED = """(file) => file ? "" : new Promise((done) => setTimeout(() => done(
    document.querySelector("#picture img, #picture [class*=progress]") ? "" : "emptied"), 300))"""
# What a page shows, by its key, as the second value of an event: a server that was started anew, or
# that lost sight of the page for a while, has no session of it.
SHOWN = """(session, _, ...values) =>
    [session, globalThis.Inside?.shown() ?? "", ...values]"""
# Around whatever Python works out anew: the page says that it still shows what was there before.
BEGINS = """(session, _, ...values) => {
    globalThis.Inside?.begins();
    return [session, globalThis.Inside?.shown() ?? "", ...values];
}"""
ENDS = "() => { globalThis.Inside?.ends(); }"
# Gradio tells of a list that was left as of one where something was chosen.
WANTED = "(...values) => globalThis.Inside?.wanted(...values) ?? values.join()"
NEXT_SEED = "(seed) => (seed + 1) % 2 ** 31"
