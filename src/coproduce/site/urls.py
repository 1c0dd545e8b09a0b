"""Every address. Each room has its own; here stand those that belong to no room."""

from django.urls import include, path

from coproduce.site import home, installation, own, set_up, taking_back, try_it

urlpatterns = [
    path("", home.home, name="home"),
    path("how-this-works/", home.how_this_works, name="how_this_works"),
    path("what-we-keep/", home.what_we_keep, name="privacy"),
    path("who-may-do-what/", home.who_may_do_what, name="who_may_do_what"),
    path("making-this-easier/", home.making_this_easier, name="accessibility"),
    path("installation/", installation.page, name="installation"),
    path("set-up/<str:token>/", set_up.page, name="set_up"),
    path("try/<str:token>/", try_it.sign_in, name="try_it"),
    path("account/", include("coproduce.people.account_urls")),
    path("voices/<int:pk>/take-back/", taking_back.voice, name="take_back_voice"),
    path("stories/speakers/<int:pk>/take-back/", taking_back.story, name="take_back_story"),
    path("people/<int:pk>/take-back/", taking_back.everything, name="take_back_everything"),
    path("voices/<int:pk>/went/", taking_back.went, name="went"),
    path("stories/speakers/<int:pk>/went/", taking_back.story_went, name="story_went"),
    path("recall/", taking_back.to_recall, name="to_recall"),
    path("recall/<int:pk>/", taking_back.asked, name="asked"),
    path("people/<int:pk>/everything/", own.everything, name="everything"),
    path("people/<int:pk>/everything.json", own.everything_as_json, name="everything_json"),
    path("people/<int:pk>/erase/", own.erase, name="erase"),
    path("", include("coproduce.people.urls")),
    path("", include("coproduce.glossary.urls")),
    path("", include("coproduce.voices.urls")),
    path("", include("coproduce.themes.urls")),
    path("", include("coproduce.agenda.urls")),
    path("", include("coproduce.consensus.urls")),
    path("", include("coproduce.changes.urls")),
    path("", include("coproduce.hearback.urls")),
]

handler403 = "coproduce.site.home.not_allowed"
