from django.urls import path

from coproduce.consensus import booth_pages, pages, paper_pages

app_name = "consensus"
urlpatterns = [
    # What the group does with it.
    path("topics/<int:pk>/find-common-ground/", pages.open_conversation, name="open"),
    path("common-ground/", pages.conversations, name="conversations"),
    path("common-ground/<int:pk>/look-after/", pages.tools, name="tools"),
    path("common-ground/<int:pk>/link/", pages.set_link, name="set_link"),
    path("common-ground/<int:pk>/statements/", pages.statements, name="statements"),
    path("common-ground/<int:pk>/from-voices/", pages.from_voices, name="from_voices"),
    path("common-ground/<int:pk>/from-voices/<int:voice>/", pages.from_voice, name="from_voice"),
    path("common-ground/statements/<int:pk>/", pages.statement, name="statement"),
    path("common-ground/<int:pk>/freeze/", pages.freeze, name="freeze"),
    path("common-ground/<int:pk>/take-away/", pages.take_it_away, name="take_away"),
    path("common-ground/<int:pk>/paper/", paper_pages.paper, name="paper"),
    path("common-ground/sheets/<int:pk>/sheet.pdf", paper_pages.sheet, name="sheet"),
    path("common-ground/<int:pk>/type-in/", paper_pages.type_in, name="type_in"),
    path("common-ground/<int:pk>/table/", paper_pages.table, name="table"),
    path("common-ground/<int:pk>/bring/", paper_pages.bring, name="bring"),
    path("common-ground/<int:pk>/count/", paper_pages.count_table, name="count_table"),
    path("common-ground/<int:pk>/phone/", paper_pages.phone, name="phone"),
    path("common-ground/<int:pk>/phone/<int:person>/", booth_pages.call, name="call"),
    path("supporting/<int:pk>/common-ground/<int:conversation>/", booth_pages.for_them, name="for_them"),
    # Those who vote: the link is the key.
    path("common-ground/<slug:key>/", booth_pages.begin, name="begin"),
    path("common-ground/<slug:key>/vote/", booth_pages.vote, name="vote"),
    path("common-ground/<slug:key>/why/<int:pk>/", booth_pages.why, name="why"),
    path("common-ground/<slug:key>/add/", booth_pages.add, name="add"),
    path("common-ground/<slug:key>/mine/", booth_pages.mine, name="mine"),
    path("common-ground/<slug:key>/make-mine/", booth_pages.make_mine, name="make_mine"),
    path("common-ground/<slug:key>/take-out/", booth_pages.take_out_votes, name="take_out_votes"),
    path("common-ground/<slug:key>/take-back/<int:pk>/", booth_pages.take_back_statement, name="take_back"),
    path("common-ground/<slug:key>/result/", booth_pages.result, name="result"),
]
